import type { ReactElement } from 'react';
import { useTranslation } from 'react-i18next';
import { Notice } from '../design/notice.tsx';
import type { StudioAction } from './use-studio-action.ts';

/** Why the last change did not go through; nothing while all is well. */
export function ActionProblem({ action }: { readonly action: StudioAction }): ReactElement | null {
  const { t } = useTranslation();
  if (action.problem === null) return null;
  return (
    <Notice tone="bad" testId="studio-problem">
      {t('studio.failed', { detail: action.problem.message })}
    </Notice>
  );
}

import type { ReactElement } from 'react';
import { useTranslation } from 'react-i18next';
import type { ApiProblem } from '../api/http.ts';
import { Notice } from '../design/notice.tsx';
import type { StudioAction } from './use-studio-action.ts';

/** Why the last change did not go through; nothing while all is well. */
export function ActionProblem({ action }: { readonly action: StudioAction }): ReactElement | null {
  if (action.problem === null) return null;
  return (
    <Notice tone="bad" testId="studio-problem">
      <ProblemText problem={action.problem} />
    </Notice>
  );
}

function ProblemText({ problem }: { readonly problem: ApiProblem }): string {
  const { t } = useTranslation();
  if (problem.reason !== 'rate_limited' || problem.retryAfterMs === null) {
    return t('studio.failed', { detail: problem.message });
  }
  return t('studio.tooFast', { seconds: Math.max(1, Math.ceil(problem.retryAfterMs / 1_000)) });
}

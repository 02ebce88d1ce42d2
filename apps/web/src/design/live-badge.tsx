import type { ReactElement } from 'react';
import { useTranslation } from 'react-i18next';
import './live-badge.css';

/** On air now. */
export function LiveBadge(): ReactElement {
  const { t } = useTranslation();
  return (
    <span className="sf-live" data-testid="live-badge">
      <span className="sf-live__dot" aria-hidden="true" />
      {t('watch.live')}
    </span>
  );
}

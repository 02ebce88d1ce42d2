import { Skeleton } from '@mantine/core';
import type { ShowSummary } from '@showfloor/protocol';
import { type ReactElement, useRef, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { Icon } from '../design/icons.tsx';
import { LiveBadge } from '../design/live-badge.tsx';
import { useIsCut } from './use-is-cut.ts';
import type { LiveRoom } from './use-live-room.ts';
import './show-heading.css';

type ShowHeadingProps = {
  /** Undefined: the shop has not answered yet. */
  readonly show: ShowSummary | undefined;
  readonly isLive: boolean;
  readonly viewers: LiveRoom['viewers'];
};

/** Title and description; on a phone two lines of each, the rest on request. */
export function ShowHeading({ show, isLive, viewers }: ShowHeadingProps): ReactElement {
  const { t } = useTranslation();
  const [isOpen, setOpen] = useState(false);
  const title = useRef<HTMLHeadingElement>(null);
  const text = useRef<HTMLParagraphElement>(null);
  const isTitleCut = useIsCut(title, show?.title ?? '', !isOpen);
  const isTextCut = useIsCut(text, show?.description ?? '', !isOpen);
  return (
    <div className="sf-heading" data-open={isOpen}>
      <div className="sf-heading__line">
        {isLive && <LiveBadge />}
        {viewers !== null && (
          <span className="sf-heading__viewers" data-testid="viewer-count" data-count={viewers.count}>
            <Icon name="eye" size={18} />
            {viewers.isApproximate
              ? t('watch.viewersApprox', { count: viewers.count })
              : t('watch.viewers', { count: viewers.count })}
          </span>
        )}
      </div>
      {show === undefined ? (
        <Skeleton height={28} width="min(320px, 80%)" />
      ) : (
        <>
          <h1 ref={title} className="sf-heading__title">
            {show.title}
          </h1>
          <p className="sf-heading__seller sf-muted">{t('watch.by', { seller: show.sellerName })}</p>
          {show.description !== '' && (
            <p ref={text} className="sf-heading__text">
              {show.description}
            </p>
          )}
          {(isTitleCut || isTextCut) && (
            <button
              type="button"
              className="sf-heading__more"
              aria-expanded={isOpen}
              onClick={() => setOpen(!isOpen)}
              data-testid="heading-more"
            >
              {isOpen ? t('watch.less') : t('watch.more')}
            </button>
          )}
        </>
      )}
    </div>
  );
}

import { Button } from '@mantine/core';
import type { ShowSummary } from '@showfloor/protocol';
import { keepPreviousData, useQuery } from '@tanstack/react-query';
import { type ReactElement, useRef, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { Notice } from '../design/notice.tsx';
import { TARGETS_MAX } from './restream-draft.ts';
import { targetsPeriodMs } from './restream-state.ts';
import { RestreamTargetForm } from './restream-target-form.tsx';
import { RestreamTargetItem } from './restream-target-item.tsx';
import { getRestreamTargets } from './studio-api.ts';
import './restream.css';

/** Where else the show is sent, and how it goes there. Asked about every few seconds while on air and looked at. */
export function RestreamPanel({ show }: { readonly show: ShowSummary }): ReactElement {
  const { t } = useTranslation();
  const [isAdding, setAdding] = useState(false);
  const adder = useRef<HTMLButtonElement>(null);
  const { data, isError } = useQuery({
    // A show that goes on or off the air moves its targets: asked at once.
    queryKey: ['studio', 'restream', show.id, show.status],
    queryFn: ({ signal }) => getRestreamTargets(show.id, signal),
    placeholderData: keepPreviousData,
    refetchInterval: targetsPeriodMs(show.status),
    refetchIntervalInBackground: false,
    retry: false,
  });
  const close = (): void => {
    setAdding(false);
    adder.current?.focus();
  };
  const targets = data?.targets ?? [];
  const isFull = targets.length >= TARGETS_MAX;
  return (
    <section className="sf-studio__products" aria-label={t('restream.title')} data-testid="restream">
      <div className="sf-studio__row sf-restream__head">
        <h4>{t('restream.title')}</h4>
        <Button
          ref={adder}
          variant="default"
          size="compact-md"
          aria-expanded={isAdding}
          disabled={isFull && !isAdding}
          data-testid="restream-add"
          onClick={() => setAdding(!isAdding)}
        >
          {t('restream.add')}
        </Button>
      </div>
      {isError && <Notice>{t('restream.down')}</Notice>}
      {isAdding && <RestreamTargetForm showId={show.id} target={null} onDone={close} />}
      {data !== undefined && targets.length === 0 && !isAdding && (
        <p className="sf-muted sf-restream__none">{t('restream.none')}</p>
      )}
      {targets.length > 0 && (
        <ul className="sf-studio__list">
          {targets.map((target) => (
            <RestreamTargetItem key={target.id} show={show} target={target} onDeleted={() => adder.current?.focus()} />
          ))}
        </ul>
      )}
      {isFull && <p className="sf-muted">{t('restream.full', { count: TARGETS_MAX })}</p>}
    </section>
  );
}

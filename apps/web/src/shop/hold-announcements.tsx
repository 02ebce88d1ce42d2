import { VisuallyHidden } from '@mantine/core';
import type { CartLine } from '@showfloor/protocol';
import { type ReactElement, useEffect, useRef, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { minuteMarkPassed } from './hold-countdown.ts';

type HoldAnnouncementsProps = { readonly lines: readonly CartLine[]; readonly nowMs: number };

/** Tells screen readers, once each, that five minutes and one minute of a hold are left. */
export function HoldAnnouncements({ lines, nowMs }: HoldAnnouncementsProps): ReactElement {
  const { t } = useTranslation();
  const [text, setText] = useState('');
  const before = useRef(new Map<string, number>());

  useEffect(() => {
    const left = new Map(lines.map(({ id, holdExpiresAtMs }) => [id, holdExpiresAtMs - nowMs]));
    for (const line of lines) {
      const earlierMs = before.current.get(line.id);
      const mark = earlierMs === undefined ? null : minuteMarkPassed(earlierMs, left.get(line.id) ?? 0);
      if (mark !== null) setText(t(`cart.announce_${mark}`, { title: line.title }));
    }
    before.current = left;
  }, [lines, nowMs, t]);

  return (
    <VisuallyHidden aria-live="polite" data-testid="hold-announcement">
      {text}
    </VisuallyHidden>
  );
}

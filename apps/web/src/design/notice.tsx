import { Button } from '@mantine/core';
import type { ReactElement, ReactNode } from 'react';
import './notice.css';

type NoticeProps = {
  readonly children: ReactNode;
  /** `bad` is read out at once, `calm` when the reader is idle. */
  readonly tone?: 'calm' | 'bad' | 'good';
  readonly action?: { readonly label: string; readonly onClick: () => void; readonly isBusy?: boolean };
  readonly testId?: string;
};

/** One sentence in place: what happened and what can be done. */
export function Notice({ children, tone = 'calm', action, testId }: NoticeProps): ReactElement {
  return (
    <div className={`sf-notice sf-notice--${tone}`} role={tone === 'bad' ? 'alert' : 'status'} data-testid={testId}>
      <div className="sf-notice__text">{children}</div>
      {action && (
        <Button size="compact-sm" variant="default" onClick={action.onClick} loading={action.isBusy ?? false}>
          {action.label}
        </Button>
      )}
    </div>
  );
}

type EmptyStateProps = {
  readonly title: string;
  readonly text: string;
  readonly children?: ReactNode;
};

/** Nothing here yet, and what to do about it. */
export function EmptyState({ title, text, children }: EmptyStateProps): ReactElement {
  return (
    <div className="sf-empty" data-testid="empty-state">
      <h2>{title}</h2>
      <p className="sf-muted">{text}</p>
      {children}
    </div>
  );
}

import { Button } from '@mantine/core';
import { type ReactElement, type ReactNode, useEffect, useRef, useState } from 'react';
import { ActionProblem } from './action-problem.tsx';
import type { StudioAction } from './use-studio-action.ts';

type ConfirmButtonProps = {
  readonly question: string;
  readonly yes: string;
  readonly no: string;
  readonly action: StudioAction;
  readonly onYes: () => void;
  /** Draws the button that asks. `ref` takes the focus back after a no. */
  readonly children: (ask: () => void, ref: (element: HTMLButtonElement | null) => void) => ReactNode;
};

/** What cannot be undone is asked twice, in place. The focus is on the harmless answer; Escape gives it too. */
export function ConfirmButton({ question, yes, no, action, onYes, children }: ConfirmButtonProps): ReactElement {
  const [isAsking, setAsking] = useState(false);
  const asker = useRef<HTMLButtonElement | null>(null);
  const wasAsking = useRef(false);
  useEffect(() => {
    if (wasAsking.current && !isAsking) asker.current?.focus();
    wasAsking.current = isAsking;
  }, [isAsking]);
  if (!isAsking) {
    return (
      <>
        {children(
          () => setAsking(true),
          (element) => {
            asker.current = element;
          },
        )}
      </>
    );
  }
  return (
    // biome-ignore lint/a11y/useSemanticElements: a fieldset is for the fields of a form
    <div
      role="group"
      aria-label={question}
      className="sf-studio__row sf-studio__ask"
      onKeyDown={({ key }) => {
        if (key === 'Escape' && !action.isBusy) setAsking(false);
      }}
    >
      <span>{question}</span>
      <Button size="compact-md" loading={action.isBusy} onClick={onYes}>
        {yes}
      </Button>
      <Button size="compact-md" variant="default" autoFocus disabled={action.isBusy} onClick={() => setAsking(false)}>
        {no}
      </Button>
      <ActionProblem action={action} />
    </div>
  );
}

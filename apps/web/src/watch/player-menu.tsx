import { type KeyboardEvent, type ReactElement, useEffect, useId, useRef, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { Icon } from '../design/icons.tsx';
import { PLAYER_CHOICES } from './player-choice.ts';
import type { LivePlayerHandle } from './use-live-player.ts';

type PlayerMenuProps = { readonly player: Pick<LivePlayerHandle, 'choice' | 'choose'> };

/** How to play: a button that opens a group of radio buttons. Escape and a press beside it close it. */
export function PlayerMenu({ player }: PlayerMenuProps): ReactElement {
  const { t } = useTranslation();
  const [isOpen, setOpen] = useState(false);
  const root = useRef<HTMLDivElement>(null);
  const button = useRef<HTMLButtonElement>(null);
  const panelId = useId();
  useCloseFromOutside(root, isOpen, () => setOpen(false));

  const onKeyDown = (event: KeyboardEvent): void => {
    if (event.key !== 'Escape' || !isOpen) return;
    event.stopPropagation();
    setOpen(false);
    button.current?.focus();
  };

  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: Escape closes what one of its controls opened
    <div ref={root} className="sf-player-menu" onKeyDown={onKeyDown}>
      <button
        ref={button}
        type="button"
        className="sf-controls__button sf-player-menu__button"
        aria-label={t('player.settings')}
        title={t('player.settings')}
        aria-expanded={isOpen}
        aria-controls={panelId}
        onClick={() => setOpen(!isOpen)}
        data-testid="player-menu"
      >
        <Icon name="settings" size={22} />
      </button>
      <fieldset id={panelId} className="sf-player-menu__panel" hidden={!isOpen}>
        <legend className="sf-player-menu__title">{t('player.mode')}</legend>
        {PLAYER_CHOICES.map((choice) => (
          <label key={choice} className="sf-player-menu__choice">
            <input
              type="radio"
              name={panelId}
              value={choice}
              checked={player.choice === choice}
              onChange={() => player.choose(choice)}
              data-testid={`player-${choice}`}
            />
            <span>
              {t(`player.choice.${choice}`)}
              <small className="sf-player-menu__hint">{t(`player.choiceHint.${choice}`)}</small>
            </span>
          </label>
        ))}
      </fieldset>
    </div>
  );
}

function useCloseFromOutside(root: React.RefObject<HTMLElement | null>, isOpen: boolean, close: () => void): void {
  const latest = useRef(close);
  latest.current = close;
  useEffect(() => {
    if (!isOpen) return;
    const onPress = ({ target }: Event): void => {
      if (target instanceof Node && root.current?.contains(target) === false) latest.current();
    };
    document.addEventListener('pointerdown', onPress);
    document.addEventListener('focusin', onPress);
    return () => {
      document.removeEventListener('pointerdown', onPress);
      document.removeEventListener('focusin', onPress);
    };
  }, [root, isOpen]);
}

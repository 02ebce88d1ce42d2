import type { ReactElement } from 'react';

/** Line icons, 24 units, drawn with the text's colour; decoration only: the control beside them has the name. */
const PATHS = {
  bag: 'M6.5 8.5h11l.9 10a1.8 1.8 0 0 1-1.8 2H7.4a1.8 1.8 0 0 1-1.8-2l.9-10ZM9 8.5V7a3 3 0 0 1 6 0v1.5',
  soundOff: 'M4 9.5v5h3.5L12 18V6L7.5 9.5H4ZM16 9.5l5 5M21 9.5l-5 5',
  soundOn: 'M4 9.5v5h3.5L12 18V6L7.5 9.5H4ZM15.5 9a4.2 4.2 0 0 1 0 6M18 6.5a7.8 7.8 0 0 1 0 11',
  fullscreen: 'M4 9V4h5M20 9V4h-5M4 15v5h5M20 15v5h-5',
  fullscreenExit: 'M9 4v5H4M15 4v5h5M9 20v-5H4M15 20v-5h5',
  play: 'M8 5.5v13l10.5-6.5L8 5.5Z',
  pause: 'M7 5.5h3v13H7zM14 5.5h3v13h-3z',
  send: 'M4.5 12 20 4.5 15.5 20l-3.6-6L4.5 12ZM12 14l3.5-4',
  eye: 'M2.5 12S6 5.5 12 5.5 21.5 12 21.5 12 18 18.5 12 18.5 2.5 12 2.5 12ZM12 14.7a2.7 2.7 0 1 0 0-5.4 2.7 2.7 0 0 0 0 5.4Z',
  check: 'm5 12.5 4.5 4.5L19 7.5',
  trash: 'M5 7h14M10 7V4.5h4V7M7 7l.8 12.5h8.4L17 7',
  arrowDown: 'M12 5v14M6 13l6 6 6-6',
  pin: 'M9 4h6l-1 6 3 3H7l3-3-1-6ZM12 13v7',
  back: 'M14.5 5.5 8 12l6.5 6.5',
  settings:
    'M4 8h9M17 8h3M4 16h3M11 16h9M15 10.2a2.2 2.2 0 1 0 0-4.4 2.2 2.2 0 0 0 0 4.4ZM9 18.2a2.2 2.2 0 1 0 0-4.4 2.2 2.2 0 0 0 0 4.4Z',
  retry: 'M19.5 12a7.5 7.5 0 1 1-2.2-5.3M19.5 4v4h-4',
} as const;

export type IconName = keyof typeof PATHS;

export function Icon({ name, size = 20 }: { readonly name: IconName; readonly size?: number }): ReactElement {
  return (
    <svg
      aria-hidden="true"
      focusable="false"
      width={size}
      height={size}
      viewBox="0 0 24 24"
      fill="none"
      stroke="currentColor"
      strokeWidth="1.9"
      strokeLinecap="round"
      strokeLinejoin="round"
    >
      <path d={PATHS[name]} />
    </svg>
  );
}

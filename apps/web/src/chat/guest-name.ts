/** A friendly name for someone who did not give one; it can be changed until it is first used. */
const TONES = ['Sunny', 'Quiet', 'Merry', 'Clever', 'Gentle', 'Lucky', 'Brave', 'Curious', 'Mellow', 'Bright'] as const;
const ANIMALS = ['Otter', 'Finch', 'Fox', 'Heron', 'Badger', 'Wren', 'Hare', 'Robin', 'Lynx', 'Seal'] as const;
const STORAGE_KEY = 'showfloor.guest-name';

/** Characters of a display name; the shop's limit. */
export const GUEST_NAME_CHARS_MAX = 40;

let kept: string | null = null;

/** The name under which this browser chats, made on first use and kept. */
export function guestName(): string {
  kept ??= stored() ?? generated(Math.random);
  return kept;
}

/** Takes a name someone typed; blank text keeps the old one. Returns the name now in use. */
export function renameGuest(text: string): string {
  const name = text.trim().replaceAll(/\s+/gu, ' ').slice(0, GUEST_NAME_CHARS_MAX);
  if (name === '') return guestName();
  kept = name;
  try {
    localStorage.setItem(STORAGE_KEY, name);
  } catch {
    // No storage in this browser mode: the name lasts as long as the page.
  }
  return name;
}

/** `random` gives numbers in [0, 1). */
export function generated(random: () => number): string {
  const pick = (words: readonly string[]): string => words[Math.floor(random() * words.length)] ?? '';
  return `${pick(TONES)} ${pick(ANIMALS)}`;
}

function stored(): string | null {
  try {
    return localStorage.getItem(STORAGE_KEY);
  } catch {
    return null;
  }
}

import type { RoomToken, SocketAuth } from '@showfloor/protocol';
import { serverClock } from '../api/server-clock.ts';

/**
 * Tokens for the realtime plane, kept for the tab: the room token from commerce and the resume token from realtime
 * itself. With them a reload or a reconnect needs no commerce.
 */
const ROOM_KEY = 'showfloor.room-token';
const RESUME_KEY = 'showfloor.room-resume';
/** A token this close to its end is not shown any more. */
const EXPIRY_MARGIN_MS = 5_000;

/** What to present at the next handshake; empty for an anonymous viewer. The resume token goes first: it lasts longer. */
export function socketAuth(): SocketAuth {
  const resume = read(RESUME_KEY);
  if (resume !== null) return { resume: resume.token };
  const room = read(ROOM_KEY);
  return room === null ? {} : { token: room.token };
}

export function hasIdentity(): boolean {
  return read(RESUME_KEY) !== null || read(ROOM_KEY) !== null;
}

export function keepRoomToken(token: RoomToken): void {
  write(ROOM_KEY, token);
}

export function keepResumeToken(token: RoomToken): void {
  write(RESUME_KEY, token);
}

/** Called when realtime refused them, and when someone else signs in. */
export function dropRoomTokens(): void {
  for (const key of [ROOM_KEY, RESUME_KEY]) {
    try {
      sessionStorage.removeItem(key);
    } catch {
      // No storage in this browser mode: nothing was kept.
    }
  }
  kept.clear();
}

const kept = new Map<string, RoomToken>();

function write(key: string, token: RoomToken): void {
  kept.set(key, token);
  try {
    sessionStorage.setItem(key, JSON.stringify(token));
  } catch {
    // No storage in this browser mode: the token lasts as long as the page.
  }
}

function read(key: string): RoomToken | null {
  const token = kept.get(key) ?? stored(key);
  return token !== null && token.expiresAtMs - EXPIRY_MARGIN_MS > serverClock.now() ? token : null;
}

function stored(key: string): RoomToken | null {
  try {
    const value: unknown = JSON.parse(sessionStorage.getItem(key) ?? 'null');
    if (typeof value !== 'object' || value === null || !('token' in value) || !('expiresAtMs' in value)) return null;
    const { token, expiresAtMs } = value;
    return typeof token === 'string' && typeof expiresAtMs === 'number' ? { token, expiresAtMs } : null;
  } catch {
    return null;
  }
}

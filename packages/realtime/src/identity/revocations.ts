import { appendFileSync, existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { Type } from 'typebox';
import { Compile } from 'typebox/compile';
import { BoundedMap } from '../bounded-map.ts';
import type { Identity } from './identity.ts';
import { RESUME_LIFE_MS } from './resume-tokens.ts';

export const REVOCATIONS_MAX = 50_000;
const entryCheck = Compile(Type.Object({ userId: Type.String(), atMs: Type.Integer({ minimum: 0 }) }));

/**
 * Users whose tokens from before an instant are worth nothing. Kept in a small file, because a restart must not give them
 * back. At the bound the oldest entry is dropped and everything vouched for up to its instant is refused instead: more
 * people than needed ask commerce for a new token, nobody revoked gets in.
 */
export class Revocations {
  readonly #path: string;
  readonly #users: BoundedMap<string, number>;
  /** In force, but not on disk yet. Never more than `#users`: who is forgotten there must be delivered again. */
  readonly #unwritten = new Map<string, number>();
  /** The last append failed and may have left half a line. */
  #isTorn = false;
  #refusedUpToMs = 0;

  /** Reads `path` if it exists and drops what has outlived every token. Throws when the file cannot be read or written. */
  constructor(path: string, nowMs: number, entriesMax: number = REVOCATIONS_MAX) {
    this.#path = path;
    this.#users = new BoundedMap(entriesMax, (userId, atMs) => {
      this.#unwritten.delete(userId);
      this.#refusedUpToMs = Math.max(this.#refusedUpToMs, atMs);
    });
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
    if (!existsSync(path)) return;
    for (const line of readFileSync(path, 'utf8').split('\n')) this.#restore(line, nowMs);
    const kept = [...this.#users.entries()].map(([userId, atMs]) => `${JSON.stringify({ userId, atMs })}\n`);
    writeFileSync(`${path}.tmp`, kept.join(''), { mode: 0o600, flush: true });
    renameSync(`${path}.tmp`, path);
  }

  /**
   * In force and on disk when it returns, with all that could not be written before. Throws when it cannot be written: it is
   * in force all the same, and the sender must deliver again.
   */
  add(userId: string, atMs: number): void {
    this.addAll([[userId, atMs]]);
  }

  /** The same for several, with one write. */
  addAll(entries: Iterable<readonly [userId: string, atMs: number]>): void {
    let isWriteDue = false;
    for (const [userId, atMs] of entries) {
      const known = this.#users.get(userId);
      if (known === undefined || known < atMs) {
        this.#users.set(userId, atMs);
        this.#unwritten.set(userId, atMs);
      }
      isWriteDue ||= this.#unwritten.has(userId);
    }
    if (isWriteDue) this.#write();
  }

  /** Every user and the instant up to which their tokens are worth nothing. */
  entries(): IterableIterator<[userId: string, atMs: number]> {
    return this.#users.entries();
  }

  has(identity: Identity): boolean {
    const revokedAtMs = Math.max(this.#users.get(identity.userId) ?? -1, this.#refusedUpToMs);
    return identity.vouchedAtMs <= revokedAtMs;
  }

  #write(): void {
    const lines = [...this.#unwritten].map(([userId, atMs]) => `${JSON.stringify({ userId, atMs })}\n`);
    const text = (this.#isTorn ? '\n' : '') + lines.join('');
    this.#isTorn = true;
    appendFileSync(this.#path, text, { mode: 0o600, flush: true });
    this.#isTorn = false;
    this.#unwritten.clear();
  }

  #restore(line: string, nowMs: number): void {
    let entry: unknown;
    try {
      entry = JSON.parse(line);
    } catch {
      return; // a line torn by a crash was never acknowledged: its event comes again
    }
    if (entryCheck.Check(entry) && entry.atMs > nowMs - RESUME_LIFE_MS) this.#users.set(entry.userId, entry.atMs);
  }
}

import type { Admission, RestreamTarget } from '../hub/stream-hub.ts';
import { hashKey, type PresentedKey, sameHash } from './stream-key.ts';

/** Asks whether this key may publish. */
export type AdmitRequest = Readonly<{ clientId: string; ip: string; app: string; playbackId: string; key: string }>;
/** `unreachable`: nobody could be asked. Not restreamed and not recorded unless it says so. */
export type AdmitAnswer =
  | Readonly<{
      ok: true;
      showId: string;
      graceMs?: number;
      restreamTargets?: readonly RestreamTarget[];
      restreamRevision?: number;
      recording?: Readonly<{ isEnabled: boolean }>;
    }>
  | Readonly<{ ok: false; reason: 'unknown_stream' | 'wrong_key' | 'not_scheduled' | 'unreachable' }>;
/** The injected judge: commerce's publish hook in production. Never rejects. */
export type Admit = (request: AdmitRequest) => Promise<AdmitAnswer>;

type Remembered = { readonly keyHash: Buffer; readonly admission: Admission };

const REMEMBERED_MAX = 1_000;

/**
 * Asks `admit` once per publish and remembers the last accepted key of each stream as a hash: while nobody can be asked, that
 * key stays good, so that a show survives the loss of commerce; a key that was refused since does not. Bounded; the oldest
 * entry goes first.
 */
export class AdmissionDesk {
  readonly #admit: Admit;
  readonly #graceMsDefault: number;
  readonly #remembered = new Map<string, Remembered>();
  #forgets = 0;

  constructor(admit: Admit, graceMsDefault: number) {
    this.#admit = admit;
    this.#graceMsDefault = graceMsDefault;
  }

  async ask(
    request: AdmitRequest,
  ): Promise<{ ok: true; admission: Admission; fromMemory: boolean } | Extract<AdmitAnswer, { ok: false }>> {
    const forgetsBefore = this.#forgets;
    const answer = await this.#admit(request);
    if (answer.ok) {
      const admission: Admission = {
        playbackId: request.playbackId,
        showId: answer.showId,
        graceMs: answer.graceMs ?? this.#graceMsDefault,
        restreamTargets: answer.restreamTargets ?? [],
        restreamRevision: answer.restreamRevision ?? 0,
        recording: answer.recording ?? { isEnabled: false },
      };
      // What was forgotten while we asked may have been this key: the answer is older than that.
      if (this.#forgets === forgetsBefore) this.#remember(request, admission);
      return { ok: true, admission, fromMemory: false };
    }
    const known = this.#recall(request);
    if (known === null) return answer;
    if (answer.reason === 'unreachable') return { ok: true, admission: known.admission, fromMemory: true };
    this.#remembered.delete(request.playbackId);
    return answer;
  }

  /** Forgets a stream's key: it was rotated, or the stream is over. */
  forget(playbackId: string): void {
    this.#forgets += 1;
    this.#remembered.delete(playbackId);
  }

  /** True when this key was the last one accepted for its stream. */
  knows(presented: PresentedKey): boolean {
    return this.#recall(presented) !== null;
  }

  #recall({ playbackId, key }: PresentedKey): Remembered | null {
    const known = this.#remembered.get(playbackId);
    return known !== undefined && sameHash(known.keyHash, hashKey(key)) ? known : null;
  }

  #remember(request: AdmitRequest, admission: Admission): void {
    this.#remembered.delete(request.playbackId);
    this.#remembered.set(request.playbackId, { keyHash: hashKey(request.key), admission });
    const oldest = this.#remembered.keys().next();
    if (this.#remembered.size > REMEMBERED_MAX && oldest.done !== true) this.#remembered.delete(oldest.value);
  }
}

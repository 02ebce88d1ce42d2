import type { HlsChannel } from './hls-channel.ts';
import type { HlsViewer } from './hls-viewers.ts';
import type { Conditions, HttpAnswer, WayOut } from './http-answer.ts';
import type { HttpConnection } from './http-connections.ts';

/** A request that waits for something of its stream. */
export type HeldRequest = {
  readonly conditions: Conditions;
  /** Null once its connection is gone, or it is answered. */
  way: WayOut | null;
  readonly connection: HttpConnection;
  readonly viewer: HlsViewer | null;
  readonly channel: HlsChannel;
  readonly heldAtMs: number;
};

/** Requests of one stream that wait for the same thing, in the order they came: a plain array, because they leave together. */
export type HeldList = HeldRequest[];

type Release = { readonly list: HeldList; readonly answer: HttpAnswer; next: number; readonly onDone: () => void };

/**
 * Answers held requests in slices, one per turn of the event loop, so that rounds of FLV are written in between. What is to be
 * released waits in order. `answerOne` does the work for one request.
 */
export class ReleaseQueue {
  readonly #sliceMax: number;
  readonly #answerOne: (held: HeldRequest, answer: HttpAnswer) => void;
  readonly #releases: Release[] = [];
  #isScheduled = false;

  constructor(sliceMax: number, answerOne: (held: HeldRequest, answer: HttpAnswer) => void) {
    this.#sliceMax = sliceMax;
    this.#answerOne = answerOne;
  }

  /** Takes the list over. `onDone` is called after its last answer. */
  add(list: HeldList, answer: HttpAnswer, onDone: () => void): void {
    this.#releases.push({ list, answer, next: 0, onDone });
    this.#schedule();
  }

  /** Forgets everything: the sockets are being closed. */
  clear(): void {
    this.#releases.length = 0;
  }

  #schedule(): void {
    if (this.#isScheduled || this.#releases.length === 0) return;
    this.#isScheduled = true;
    setImmediate(() => {
      this.#isScheduled = false;
      this.#slice();
      this.#schedule();
    });
  }

  #slice(): void {
    let left = this.#sliceMax;
    while (left > 0) {
      const release = this.#releases[0];
      if (release === undefined) return;
      const { list, answer } = release;
      const end = Math.min(list.length, release.next + left);
      left -= end - release.next;
      for (let index = release.next; index < end; index += 1) {
        const held = list[index];
        if (held !== undefined) this.#answerOne(held, answer);
      }
      release.next = end;
      if (end < list.length) return;
      this.#releases.shift();
      release.onDone();
    }
  }
}

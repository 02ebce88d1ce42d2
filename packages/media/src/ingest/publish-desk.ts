import { assert, type Logger } from '@showfloor/service-kit';
import type { Publication, PublisherHandle, StreamHub } from '../hub/stream-hub.ts';
import type { MediaMetrics } from '../media-metrics.ts';
import type { AdmissionDesk } from './admission.ts';
import type { FailedPublishGuard } from './failed-publish-guard.ts';
import type { RefusalNotices } from './refusal-notices.ts';
import type { PresentedKey } from './stream-key.ts';

/** Why a publish was refused; `statusCode` and `text` are what the encoder is told. */
export type PublishRefused = Readonly<{ ok: false; reason: string; statusCode: string; text: string }>;

const REFUSALS = {
  unknown_stream: { statusCode: 'NetStream.Publish.Denied', text: 'Unknown stream or wrong key.' },
  wrong_key: { statusCode: 'NetStream.Publish.Denied', text: 'Unknown stream or wrong key.' },
  blocked: { statusCode: 'NetStream.Publish.Denied', text: 'Too many refused attempts from this address. Try later.' },
  not_scheduled: { statusCode: 'NetStream.Publish.Denied', text: 'This show may not go live now.' },
  unreachable: { statusCode: 'NetStream.Failed', text: 'The key cannot be checked now. Try again.' },
  bad_name: { statusCode: 'NetStream.Publish.BadName', text: 'Another encoder is on air with this key.' },
  too_many_streams: { statusCode: 'NetStream.Failed', text: 'The server has as many streams as it may carry.' },
  too_many_connections: { statusCode: 'NetStream.Failed', text: 'The server has as many connections as it may carry.' },
  gone: { statusCode: 'NetStream.Failed', text: 'The connection was closed.' },
} as const;

/** Decides who may publish: the hook's word, the address's record, then the rules between rivals. */
export class PublishDesk {
  readonly #hub: StreamHub;
  readonly #admissions: AdmissionDesk;
  readonly #guard: FailedPublishGuard;
  readonly #metrics: MediaMetrics;
  readonly #log: Logger;
  readonly #hasRoom: () => boolean;
  readonly #notices: RefusalNotices;

  constructor(options: {
    hub: StreamHub;
    admissions: AdmissionDesk;
    guard: FailedPublishGuard;
    metrics: MediaMetrics;
    log: Logger;
    /** False when the process has all the connections it may carry. */
    hasRoom: () => boolean;
    notices: RefusalNotices;
  }) {
    this.#hub = options.hub;
    this.#admissions = options.admissions;
    this.#guard = options.guard;
    this.#metrics = options.metrics;
    this.#log = options.log;
    this.#hasRoom = options.hasRoom;
    this.#notices = options.notices;
  }

  /**
   * Asks for a publish. From a blocked address only the key that was last good for this stream is worth a question: a studio
   * shares its address with whoever guesses there. `isOpen` says whether the connection still stands after the hook has
   * answered.
   */
  async ask(
    request: PresentedKey & { app: string; ip: string },
    publisher: PublisherHandle,
    isOpen: () => boolean,
  ): Promise<{ ok: true; publication: Publication } | PublishRefused> {
    const { playbackId, key, app, ip } = request;
    if (!this.#hasRoom()) return this.#refuse('too_many_connections', request);
    if (this.#guard.isBlocked(ip) && !this.#admissions.knows(request)) return this.#refuse('blocked', request);
    const answer = await this.#admissions.ask({ clientId: publisher.clientId, ip, app, playbackId, key });
    if (!answer.ok) return this.#refuse(answer.reason, request);
    if (!isOpen()) return this.#refuse('gone', request);
    const taken = this.#hub.publish(answer.admission, publisher);
    if (!taken.ok) {
      const { showId } = answer.admission;
      if (taken.reason === 'bad_name') {
        this.#notices.add({ playbackId, showId, reason: 'rival', text: REFUSALS.bad_name.text });
      }
      return this.#refuse(taken.reason, request);
    }
    const outcome = answer.fromMemory ? 'accepted_from_memory' : 'accepted';
    this.#metrics.publishes.inc({ outcome });
    this.#log.info({ playbackId, ip, clientId: publisher.clientId, outcome }, 'publish.accepted');
    return taken;
  }

  #refuse(reason: keyof typeof REFUSALS, { playbackId, ip }: { playbackId: string; ip: string }): PublishRefused {
    const refusal = REFUSALS[reason];
    assert(refusal !== undefined, 'a refusal without an answer for the encoder');
    this.#metrics.publishes.inc({ outcome: reason });
    const isGuess = reason === 'unknown_stream' || reason === 'wrong_key';
    const isBlockedNow = isGuess && this.#guard.recordFailure(ip);
    this.#log.warn({ playbackId, ip, reason, isBlockedNow }, 'publish.refused');
    return { ok: false, reason, ...refusal };
  }
}

import type { Reason, Refused } from '@showfloor/protocol';
import { countBug, type Logger } from '@showfloor/service-kit';
import type { Socket } from 'socket.io';
import type { RealtimeMetrics } from '../realtime-metrics.ts';

/** A compiled schema: what the edge needs of it. */
export type PayloadCheck<T> = { readonly Check: (value: unknown) => value is T };
type Answer = ({ readonly ok: true } & object) | Refused;
/** An answer, none (`{ ok: true }`), or one to be made in the very turn of the loop in which it is sent. */
type Handled = Answer | undefined | (() => Answer);

/** A refusal as clients see it. `detail` is a sentence for people. */
export function refuse(reason: Reason, detail: string, retryAfterMs?: number): Refused {
  return { ok: false, reason, detail, ...(retryAfterMs === undefined ? {} : { retryAfterMs }) };
}

/**
 * Where client events enter: the payload is checked against its schema before any of our code sees it, the answer goes to the
 * acknowledgement if there is one, and nothing that is thrown reaches Socket.IO (it would end the process).
 */
export class SocketEdge {
  readonly #metrics: RealtimeMetrics;
  readonly #log: Logger;

  constructor(metrics: RealtimeMetrics, log: Logger) {
    this.#metrics = metrics;
    this.#log = log;
  }

  /** Calls `handle` for each valid `event`; its answer (none: `{ ok: true }`) acknowledges. Without an ack it still acts. */
  on<T>(
    socket: Socket,
    event: string,
    check: PayloadCheck<T>,
    handle: (payload: T) => Handled | Promise<Handled>,
  ): void {
    socket.on(event, (...values: unknown[]) => {
      const last = values.at(-1);
      const ack = typeof last === 'function' ? (last as (answer: Answer) => void) : null;
      void this.#handle(event, check, handle, values[0]).then((handled) => {
        const answer = typeof handled === 'function' ? this.#guarded(event, handled) : handled;
        if (!answer.ok) this.#metrics.refusals.inc({ event, reason: answer.reason });
        ack?.(answer);
      });
    });
  }

  async #handle<T>(
    event: string,
    check: PayloadCheck<T>,
    handle: (payload: T) => Handled | Promise<Handled>,
    payload: unknown,
  ): Promise<Answer | (() => Answer)> {
    try {
      if (!check.Check(payload)) return refuse('bad_request', `the payload of ${event} does not fit its schema`);
      return (await handle(payload)) ?? { ok: true };
    } catch (error) {
      return this.#failed(event, error);
    }
  }

  #guarded(event: string, answer: () => Answer): Answer {
    try {
      return answer();
    } catch (error) {
      return this.#failed(event, error);
    }
  }

  #failed(event: string, error: unknown): Refused {
    countBug();
    this.#log.error({ err: error, clientEvent: event }, 'client_event.failed');
    return refuse('internal', 'something went wrong on our side; try again');
  }
}

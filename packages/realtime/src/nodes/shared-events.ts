import type { LiveEvent, SessionRevoked } from '@showfloor/protocol';
import { fieldsOf } from './adapter-client.ts';
import { orNull, type RedisLink } from './redis-link.ts';
import { redisScript } from './redis-script.ts';

const KEY = 'realtime:events';
/** Events kept for nodes that were away for a moment, or are new. */
const LOG_ENTRIES_MAX = 1_000;
const LOG_LIFE_MS = 24 * 60 * 60 * 1000;
/** Events taken while apart that wait for Redis; past it the oldest are dropped. */
export const WAITING_EVENTS_MAX = 1_000;
const READ_ENTRIES = 200;

/** KEYS log · ARGV bound, life in ms, event */
const ADD_EVENT = redisScript(
  'event_add',
  `local time = redis.call('TIME')
redis.call('XADD', KEYS[1], 'MAXLEN', '~', ARGV[1], '*', 'event', ARGV[3])
redis.call('XTRIM', KEYS[1], 'MINID', '~', string.format('%.0f', time[1] * 1000 - ARGV[2]))
redis.call('PEXPIRE', KEYS[1], ARGV[2])
return 1`,
);

export const EVENT_SCRIPTS = [ADD_EVENT];

type Event = LiveEvent | SessionRevoked;
type Entry = readonly [id: string, fields: readonly string[]];

export type SharedEventsOptions = {
  readonly link: RedisLink;
  /** An event of the log, from any node and perhaps known already. */
  readonly onEvent: (event: unknown) => void;
  /** The log has grown: the other nodes must read it. */
  readonly onAdded: () => void;
  readonly onDropped: () => void;
};

/**
 * Live events that one node's inbox has taken, for all nodes: a log in Redis, read in its order by everybody. What is taken while
 * Redis is gone waits here, up to a bound.
 */
export class SharedEvents {
  readonly #options: SharedEventsOptions;
  readonly #waiting: Event[] = [];
  #lastId = '0-0';
  #reading: Promise<void> | null = null;
  #isGrown = false;

  constructor(options: SharedEventsOptions) {
    this.#options = options;
  }

  get waiting(): number {
    return this.#waiting.length;
  }

  /** Gives an event to the other nodes, now or once joined. */
  async share(event: Event): Promise<void> {
    if (await this.#add(event)) this.#options.onAdded();
    else this.#wait(event);
  }

  /** After joining: reads the whole log, for Redis may have lost it and begun anew, and adds what has waited. */
  async rejoin(): Promise<void> {
    this.#lastId = '0-0';
    await this.read();
    const waiting = this.#waiting.splice(0);
    for (const [index, event] of waiting.entries()) {
      if (await this.#add(event)) continue;
      for (const unsent of waiting.slice(index)) this.#wait(unsent);
      break;
    }
    if (waiting.length > 0) this.#options.onAdded();
  }

  /** Reads what was added since. One reading at a time: a call while one is under way makes it look once more. */
  read(): Promise<void> {
    this.#isGrown = true;
    this.#reading ??= this.#readAll().finally(() => {
      this.#reading = null;
    });
    return this.#reading;
  }

  async #readAll(): Promise<void> {
    while (this.#isGrown) {
      this.#isGrown = false;
      const args = ['XRANGE', KEY, `(${this.#lastId}`, '+', 'COUNT', String(READ_ENTRIES)];
      const entries = (await orNull(this.#options.link.command('events', args) as Promise<readonly Entry[]>)) ?? [];
      for (const [id, fields] of entries) {
        this.#lastId = id;
        this.#options.onEvent(parse(fieldsOf(fields).event ?? ''));
      }
      if (entries.length === READ_ENTRIES) this.#isGrown = true;
    }
  }

  async #add(event: Event): Promise<boolean> {
    const args = [LOG_ENTRIES_MAX, LOG_LIFE_MS, JSON.stringify(event)];
    return (await orNull(this.#options.link.run(ADD_EVENT, [KEY], args))) !== null;
  }

  #wait(event: Event): void {
    this.#waiting.push(event);
    if (this.#waiting.length <= WAITING_EVENTS_MAX) return;
    this.#waiting.shift();
    this.#options.onDropped();
  }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null; // no event: counted by whoever looks at it
  }
}

/** An HLS origin and its network in virtual time: hours of a viewer in a moment, and every request in order. */
import { type HlsList, readHlsList } from '../src/player/hls-list.ts';
import { HlsPlayer, type HlsPlayerFact } from '../src/player/hls-player.ts';
import { HLS_PROFILES, type HlsProfile } from '../src/player/hls-profile.ts';
import type { ListAnswer, ReloadPoint } from '../src/player/list-reloads.ts';
import type { PlayerOutput, PlayerTotals } from '../src/player/player.ts';
import type { PlayerInput } from '../src/player/player-input.ts';

const SEGMENT_MS = 1000;
const PARTS = 5;
const PART_MS = SEGMENT_MS / PARTS;
const WINDOW = 6;
const FIRST_MSN = 100;

/** What is watched and how. Times in ms of virtual time, from when the viewer presses play. */
export type Simulation = {
  readonly profile: HlsProfile['name'];
  readonly isLowLatency: boolean;
  readonly durationMs: number;
  /** Nothing is published in these; then what was due comes at once. */
  readonly silences?: readonly { readonly atMs: number; readonly forMs: number }[];
  readonly roundTripMs?: number;
  /** Answers for media with these numbers are 404. */
  readonly missingMsns?: readonly number[];
  readonly record?: (input: PlayerInput) => void;
};

/** What became of it. */
export type Simulated = {
  readonly totals: PlayerTotals;
  readonly stalls: readonly Extract<PlayerOutput, { type: 'stall' }>[];
  readonly facts: readonly HlsPlayerFact[];
  readonly answers: readonly ListAnswer[];
  readonly requests: number;
  readonly tooEarly: number;
  /** Requests of the first five seconds, as words. */
  readonly opening: readonly string[];
};

/** When the viewer comes, this much has been published. */
const BEFORE_MS = 20_300;

class Origin {
  readonly #silences: readonly { readonly atMs: number; readonly forMs: number }[];
  #lists = new Map<number, HlsList>();

  constructor(silences: Simulation['silences']) {
    this.#silences = silences ?? [];
  }

  /** When the n-th part is there. */
  publishedAtMs(part: number): number {
    const dueAtMs = (part + 1) * PART_MS - BEFORE_MS;
    const silence = this.#silences.find(({ atMs, forMs }) => dueAtMs >= atMs && dueAtMs < atMs + forMs);
    return silence === undefined ? dueAtMs : silence.atMs + silence.forMs;
  }

  partsAt(atMs: number): number {
    let parts = Math.floor((atMs + BEFORE_MS) / PART_MS + 1e-9);
    while (parts > 0 && this.publishedAtMs(parts - 1) > atMs) parts -= 1;
    return parts;
  }

  list(parts: number): HlsList {
    const known = this.#lists.get(parts);
    if (known !== undefined) return known;
    this.#lists.clear(); // only the newest is asked for
    const list = readHlsList(listText(parts));
    this.#lists.set(parts, list);
    return list;
  }
}

function listText(parts: number): string {
  const whole = Math.floor(parts / PARTS);
  const first = Math.max(0, whole - WINDOW);
  const lines = [
    '#EXTM3U',
    '#EXT-X-TARGETDURATION:1',
    `#EXT-X-PART-INF:PART-TARGET=${PART_MS / 1000}`,
    '#EXT-X-SERVER-CONTROL:CAN-BLOCK-RELOAD=YES,HOLD-BACK=3,PART-HOLD-BACK=0.6',
    `#EXT-X-MEDIA-SEQUENCE:${FIRST_MSN + first}`,
    '#EXT-X-MAP:URI="init"',
  ];
  for (let segment = first; segment <= whole; segment += 1) {
    const msn = FIRST_MSN + segment;
    const listed = segment < whole ? PARTS : parts % PARTS;
    for (let part = 0; part < listed && segment > whole - 2; part += 1) {
      lines.push(`#EXT-X-PART:DURATION=${PART_MS / 1000},URI="${msn}.${part}"${part === 0 ? ',INDEPENDENT=YES' : ''}`);
    }
    if (segment < whole) lines.push(`#EXTINF:${SEGMENT_MS / 1000},`, String(msn));
  }
  lines.push(`#EXT-X-PRELOAD-HINT:TYPE=PART,URI="${FIRST_MSN + whole}.${parts % PARTS}"`);
  return lines.join('\n');
}

type Answered = { readonly atMs: number; readonly happen: () => void };

/** Watches. The driver does what the real client does: it sends what the player asks for and reports the ends. */
export function simulate(simulation: Simulation): Simulated {
  const { durationMs, roundTripMs = 10 } = simulation;
  const origin = new Origin(simulation.silences);
  const stalls: Extract<PlayerOutput, { type: 'stall' }>[] = [];
  const facts: HlsPlayerFact[] = [];
  const answers: ListAnswer[] = [];
  const opening: string[] = [];
  const player = new HlsPlayer(
    {
      profile: HLS_PROFILES[simulation.profile],
      isLowLatency: simulation.isLowLatency,
      onOutput: (output) => {
        if (output.type === 'stall') stalls.push(output);
      },
      onFact: (fact) => {
        if (fact.type !== 'shown') facts.push(fact);
      },
      ...(simulation.record === undefined ? {} : { record: simulation.record }),
    },
    0,
  );
  player.player.request(0);
  let list: Answered | null = null;
  let media: Answered | null = null;
  let [nowMs, requests, tooEarly] = [0, 0, 0];
  const note = (word: string): void => {
    requests += 1;
    if (nowMs < 5000) opening.push(word);
  };
  const askList = (point: ReloadPoint | null): Answered => {
    note(point === null ? 'list' : `list?${point.msn}.${point.part ?? ''}`);
    if (player.listSent(nowMs)) tooEarly += 1;
    const wanted = point === null ? 0 : (point.msn - FIRST_MSN) * PARTS + (point.part ?? PARTS - 1);
    const atMs = Math.max(nowMs, point === null ? 0 : origin.publishedAtMs(wanted)) + roundTripMs;
    const happen = (): void => {
      const answer = player.onList(nowMs, origin.list(origin.partsAt(nowMs)), 0);
      if (answers.length < 10_000) answers.push(answer);
    };
    return { atMs, happen };
  };
  const askMedia = (): Answered | null => {
    const request = player.nextMedia();
    if (request === null) return null;
    note(request.kind === 'hint' ? `${request.uri}!` : request.uri);
    player.mediaSent(request);
    const [msn = 0, part = PARTS - 1] = request.uri.split('.').map(Number);
    const isMissing = simulation.missingMsns?.includes(msn) ?? false;
    const thereAtMs = request.kind === 'hint' ? origin.publishedAtMs((msn - FIRST_MSN) * PARTS + part) : nowMs;
    const happen = (): void => {
      if (isMissing) player.onMediaFailed({ atMs: nowMs, isMissing });
      else player.onMedia(nowMs, null, 0);
    };
    return { atMs: Math.max(nowMs, thereAtMs) + roundTripMs, happen };
  };
  for (;;) {
    media ??= askMedia();
    const request = list === null ? player.nextList() : null;
    if (request !== null && request.dueAtMs <= nowMs) list = askList(request.point);
    const waitMs = list === null ? (request?.dueAtMs ?? Number.POSITIVE_INFINITY) : list.atMs;
    nowMs = Math.min(waitMs, media?.atMs ?? Number.POSITIVE_INFINITY);
    if (nowMs > durationMs) break;
    if (media !== null && media.atMs <= nowMs) {
      const { happen } = media;
      media = null;
      happen();
    } else if (list !== null && list.atMs <= nowMs) {
      const { happen } = list;
      list = null;
      happen();
    }
  }
  player.player.end(durationMs);
  return { totals: player.player.totals, stalls, facts, answers, requests, tooEarly, opening };
}

/** A virtual member of a room: connects, joins every namespace, perhaps chats, and accounts for what it received. */
import { monotonicMs } from '../clock.ts';
import type { RoomMemberOptions } from '../engine/scenario.ts';
import type { RoomDialect, TargetDescription } from '../target/target.ts';
import { type ActorContext, forwardedAddress, pause } from './actor.ts';
import { ApiClient } from './api-client.ts';
import { DeliveryLedger, readStamp, writeStamp } from './delivery-ledger.ts';
import { runPaced } from './paced-visits.ts';
import { createRoomMetrics, type RoomMetrics } from './room-metrics.ts';
import { SocketIoConnection } from './socket-io-connection.ts';

const BACKOFF_FIRST_MS = 500;
const BACKOFF_MAX_MS = 5000;
/** Members stop talking before they leave, and stay a moment, so that nothing is lost by leaving. */
const QUIET_BEFORE_LEAVING_MS = 1500;
const LINGER_MS = 800;

type Room = NonNullable<TargetDescription['room']>;

/** Stays in the room until the signal aborts. */
export async function runRoomMember(context: ActorContext, options: RoomMemberOptions): Promise<void> {
  const { target, adapter, signal } = context;
  if (target.room === null || adapter.room === undefined) return;
  const member = new Member(context, adapter.room, target.room);
  const token = options.chatEveryMs === null ? null : await member.signIn();
  let chat: Promise<void> | null = null;
  let intendedAtMs = token === null ? context.intendedStartMs : monotonicMs();
  for (let attempt = 0; !signal.aborted; attempt += 1) {
    const isJoined = await member.connect(token, intendedAtMs);
    if (isJoined && options.chatEveryMs !== null) chat ??= member.chat(options.chatEveryMs);
    if (isJoined) attempt = 0;
    await member.untilLostOrLeaving();
    const ceiling = Math.min(BACKOFF_MAX_MS, BACKOFF_FIRST_MS * 2 ** Math.min(attempt, 10));
    if (!(await pause(ceiling * (0.5 + context.random() / 2), signal))) break;
    intendedAtMs = monotonicMs();
  }
  await chat;
  await member.leave();
}

class Member {
  readonly #context: ActorContext;
  readonly #dialect: RoomDialect;
  readonly #room: Room;
  readonly #metrics: RoomMetrics;
  readonly #ledger = new DeliveryLedger();
  #connection: SocketIoConnection | null = null;
  /** Others count on this member: what they say now is owed to it. */
  #isCounted = false;
  /** Joined and connected; to the end of its last moment, in which nobody counts on it any more. */
  #isInRoom = false;
  /** Messages of the rosters from here … */
  #fromRoster = Number.POSITIVE_INFINITY;
  /** … until before here are owed to this member. */
  #untilRoster = Number.POSITIVE_INFINITY;
  #lostAtMs: number | null = null;
  #lastOrder: number | null = null;
  #sent = 0;

  constructor(context: ActorContext, dialect: RoomDialect, room: Room) {
    this.#context = context;
    this.#dialect = dialect;
    this.#room = room;
    this.#metrics = createRoomMetrics(context.recorder, context.vu.group, dialect.namespaces);
  }

  /** A token that lets this member write; null when the target has no shop to give one, or it refused. */
  async signIn(): Promise<string | null> {
    const { target, adapter, vu, recorder, signal } = this.#context;
    const shop = adapter.shop?.(target);
    if (shop === undefined || target.shop === null) return null;
    const api = new ApiClient({
      baseUrl: target.shop.baseUrl,
      recorder,
      group: vu.group,
      forwardedFor: forwardedAddress(vu.id),
    });
    try {
      for (let intendedAtMs = this.#context.intendedStartMs; ; intendedAtMs = monotonicMs()) {
        const session = await api.run(shop.signIn(`Lab ${vu.id}`), intendedAtMs);
        const token = session.ok ? await api.run(shop.roomToken(session.value), monotonicMs()) : session;
        if (token.ok) return token.value;
        // An expected refusal (rate limit) is waited out, as a person would.
        if (!token.isExpected || !(await pause(1000 + 1000 * this.#context.random(), signal))) return null;
      }
    } finally {
      api.close();
    }
  }

  /** Resolves when every join is acknowledged (true) or the connection failed (false). */
  async connect(token: string | null, intendedAtMs: number): Promise<boolean> {
    this.#metrics.attempts.add();
    const { namespaces } = this.#dialect;
    const open = Promise.withResolvers<boolean>();
    const waiting = new Set(namespaces);
    const connection: SocketIoConnection = new SocketIoConnection(
      {
        url: this.#room.webSocketUrl,
        namespaces,
        auth: this.#dialect.auth(token),
        headers: { 'X-Forwarded-For': forwardedAddress(this.#context.vu.id) },
      },
      {
        onNamespace: (namespace, atMs) => {
          if (!waiting.delete(namespace)) return;
          this.#metrics.connectMs.get(namespace)?.record(atMs - intendedAtMs);
          if (waiting.size === 0) open.resolve(true);
        },
        onEvent: (namespace, event, payload, atMs) => this.#onEvent(namespace, event, payload, atMs),
        onClosed: (reason) => {
          open.resolve(false);
          if (connection === this.#connection) this.#onLost(reason);
        },
      },
    );
    this.#connection = connection;
    const isOpen = await Promise.race([open.promise, aborted(this.#context.signal)]);
    return isOpen && (await this.#join(connection));
  }

  async #join(connection: SocketIoConnection): Promise<boolean> {
    const startedAtMs = monotonicMs();
    const answers = await Promise.all(
      this.#dialect
        .joins(this.#room.name)
        .map(({ namespace, event, payload }) => connection.emit(namespace, event, payload)),
    );
    const refused = answers.map((answer) => this.#dialect.readAck(answer)).find((ack) => !ack.ok);
    if (this.#connection !== connection || this.#context.signal.aborted) return false;
    if (refused !== undefined) {
      this.#metrics.failures.add();
      this.#context.event('room_join_refused', { reason: refused.reason });
      return false;
    }
    const nowMs = monotonicMs();
    this.#metrics.joinMs.record(nowMs - startedAtMs);
    if (this.#lostAtMs !== null) this.#metrics.reconnectMs.record(nowMs - this.#lostAtMs);
    this.#lostAtMs = null;
    this.#metrics.joins.add();
    this.#fromRoster = this.#context.room.join();
    this.#isCounted = true;
    this.#isInRoom = true;
    this.#metrics.members.add(1);
    return true;
  }

  /** Sends stamped messages until shortly before this member leaves. */
  chat(everyMs: number): Promise<void> {
    const { intendedStopMs, random, signal } = this.#context;
    const pacing = {
      firstAtMs: monotonicMs() + everyMs * random(),
      untilMs: intendedStopMs - QUIET_BEFORE_LEAVING_MS,
      meanMs: everyMs,
      random,
      signal,
      onLateness: this.#context.late,
      onDropped: () => this.#metrics.dropped.add(),
    };
    return runPaced(pacing, async (dueMs) => {
      // Not awaited: the next message is due whether or not this one was acknowledged.
      if (this.#isCounted) void this.#say(dueMs);
    });
  }

  async #say(dueMs: number): Promise<void> {
    const { runId, vu } = this.#context;
    this.#sent += 1;
    const sentAtMs = monotonicMs();
    const roster = this.#context.room.roster();
    const text = writeStamp({ runId, sender: vu.id, number: this.#sent, sentAtMs, roster: roster.number });
    this.#metrics.messages.add();
    const { chat } = this.#dialect;
    const { event, payload } = chat.send(this.#room.name, text, `${runId}-${vu.id}-${this.#sent}`);
    const answer = await this.#connection?.emit(chat.namespace, event, payload);
    if (answer === undefined) {
      // Only a refusal takes the debt away: silence may be a message that the room has lost.
      this.#metrics.expected.add(roster.members);
      this.#metrics.unacknowledged.add();
      return;
    }
    this.#metrics.ackMs.record(monotonicMs() - dueMs);
    const ack = this.#dialect.readAck(answer);
    if (ack.ok) {
      this.#metrics.sent.add();
      this.#metrics.expected.add(roster.members);
    } else if (ack.isExpected) this.#metrics.refused.add();
    else {
      this.#metrics.errors.add();
      this.#context.event('chat_refused', { reason: ack.reason });
    }
  }

  #onEvent(namespace: string, event: string, payload: unknown, atMs: number): void {
    if (namespace !== this.#dialect.chat.namespace) return;
    const messages = this.#dialect.chat.read(event, payload);
    for (const { text, order } of messages ?? []) {
      const stamp = readStamp(text, this.#context.runId);
      // Sent before this member was in, or after it left: nobody counted on its delivery.
      if (stamp === null || stamp.roster < this.#fromRoster || stamp.roster >= this.#untilRoster) continue;
      const delivery = this.#ledger.receive(stamp.sender, stamp.number);
      if (delivery === 'duplicate') {
        this.#metrics.duplicates.add();
        continue;
      }
      const isOutOfOrder = order === null || this.#lastOrder === null ? delivery === 'late' : order < this.#lastOrder;
      if (isOutOfOrder) this.#metrics.inversions.add();
      if (order !== null) this.#lastOrder = Math.max(order, this.#lastOrder ?? order);
      this.#metrics.received.add();
      this.#metrics.fanoutMs.record(atMs - stamp.sentAtMs);
    }
  }

  #onLost(reason: string): void {
    this.#connection = null;
    this.#leaveRoster();
    this.#leaveRoom();
    this.#fromRoster = Number.POSITIVE_INFINITY;
    this.#lastOrder = null;
    if (this.#context.signal.aborted) return;
    this.#lostAtMs ??= monotonicMs();
    this.#metrics.failures.add();
    this.#context.event('socket_lost', { reason });
  }

  /** Nobody counts on this member any more. Returns the first roster without it. */
  #leaveRoster(): number {
    if (!this.#isCounted) return this.#untilRoster;
    this.#isCounted = false;
    return this.#context.room.leave();
  }

  #leaveRoom(): void {
    if (this.#isInRoom) this.#metrics.members.add(-1);
    this.#isInRoom = false;
  }

  /** Resolves when there is no connection any more, or the member shall leave. */
  async untilLostOrLeaving(): Promise<void> {
    while (this.#connection !== null && (await pause(100, this.#context.signal)));
  }

  /** Leaves the roster first, then stays in the room a moment longer for what was under way. */
  async leave(): Promise<void> {
    if (this.#isCounted) {
      this.#untilRoster = this.#leaveRoster();
      await new Promise((done) => setTimeout(done, LINGER_MS));
    }
    this.#connection?.close();
    this.#connection = null;
    this.#leaveRoom();
  }
}

function aborted(signal: AbortSignal): Promise<false> {
  if (signal.aborted) return Promise.resolve(false);
  return new Promise((done) => {
    signal.addEventListener('abort', () => done(false), { once: true });
  });
}

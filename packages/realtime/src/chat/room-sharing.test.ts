import { randomUUID } from 'node:crypto';
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ChatCursor, ChatMessage, ChatSent } from '@showfloor/protocol';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { ChatJournal } from './chat-journal.ts';
import { ChatRoom } from './chat-room.ts';
import { JournalFolder } from './journal-folder.ts';
import { AHEAD_MAX } from './room-sharing.ts';
import type { ReconcileRequest, SharedChat, SharedRoomState, UnplacedMessage } from './shared-chat.ts';

type Hint = { readonly from: Node; readonly epoch: string; readonly messages: readonly ChatMessage[] };

/** What Redis holds of one room, as the scripts in `nodes/` keep it: `nodes.plane.test.ts` holds the real one to the same. */
class Model {
  room: { epoch: string; seq: number; messages: ChatMessage[] } | null = null;
  hints: Hint[] = [];
  /** Which message has ever been at a place, at any node. */
  readonly #places = new Map<string, string>();

  /** A cursor must never mean two things. */
  noteThat(id: string, isAt: ChatCursor): void {
    const place = `${isAt.epoch} ${isAt.seq}`;
    expect(this.#places.get(place) ?? id).toBe(id);
    this.#places.set(place, id);
  }

  append(epoch: string, message: UnplacedMessage): number | 'elsewhere' {
    if (this.room?.epoch !== epoch) return 'elsewhere';
    this.#add(this.room, message);
    return this.room.seq;
  }

  reconcile({ knownEpoch, seq, isNeeded, offered }: ReconcileRequest): SharedRoomState | 'absent' | 'unknown' {
    if (offered === null && this.room?.epoch !== knownEpoch) return 'unknown';
    if (this.room === null && !isNeeded && (offered ?? []).length === 0) return 'absent';
    this.room ??= { epoch: randomUUID(), seq, messages: [] };
    const room = this.room;
    const isOurs = room.epoch === knownEpoch;
    for (const { message, isApart } of offered ?? []) {
      if (room.messages.some(({ id }) => id === message.id) || (isOurs && !isApart)) continue;
      this.#add(room, message);
    }
    return { epoch: room.epoch, seq: room.seq, messages: [...room.messages] };
  }

  #add(room: NonNullable<Model['room']>, message: UnplacedMessage): void {
    room.seq += 1;
    room.messages.push({ ...message, seq: room.seq });
  }
}

/** A node's room over the model: what it published, in order, and what it acknowledged. */
class Node {
  isJoined = true;
  /** Times it parted: what was asked before is never answered. */
  partings = 0;
  room: ChatRoom | null = null;
  readonly published: ChatMessage[] = [];
  readonly #model: Model;

  constructor(model: Model) {
    this.#model = model;
  }

  async open(): Promise<this> {
    const path = join(mkdtempSync(join(tmpdir(), 'room-sharing-')), 'chat');
    const options = { retentionDays: 1, isNamed: () => true, isInUse: () => true, onError: () => undefined };
    const folder = new JournalFolder({ path, ...options });
    this.room = await ChatRoom.open({
      liveId: 'demo',
      journal: new ChatJournal({ folder, liveId: 'demo', onError: () => undefined }),
      shared: this.#shared(),
      publish: ({ epoch, messages }) => {
        for (const { id, seq } of messages) this.#model.noteThat(id, { epoch, seq });
        this.published.push(...messages);
      },
      delayMs: () => 0,
      onJournalSlow: () => undefined,
      onDelivered: () => undefined,
    });
    return this;
  }

  say(text: string): Promise<ChatSent> {
    const identity = { userId: 'ana', name: 'Ana', role: 'buyer', vouchedAtMs: 0 } as const;
    if (this.room === null) throw new Error('the room is not open');
    return this.room.send(identity, randomUUID(), text);
  }

  goApart(): void {
    this.isJoined = false;
    this.partings += 1;
    this.room?.part();
  }

  async join(): Promise<void> {
    this.isJoined = true;
    await this.room?.catchUp();
  }

  #shared(): SharedChat {
    const model = this.#model;
    const isJoined = (): boolean => this.isJoined;
    const asked = async <T>(answer: () => T): Promise<T | null> => {
      if (!this.isJoined) return null;
      const { partings } = this;
      await Promise.resolve();
      const value = answer(); // also when the node has parted since: it was on its way
      await new Promise((resolve) => setImmediate(resolve));
      return partings === this.partings ? value : null; // done, but the answer is lost
    };
    return {
      get isJoined() {
        return isJoined();
      },
      append: (_liveId, epoch, message) =>
        asked(() => {
          const place = model.append(epoch, message);
          if (place !== 'elsewhere') model.hints.push({ from: this, epoch, messages: [{ ...message, seq: place }] });
          return place;
        }),
      reconcile: (_liveId, request) => asked(() => model.reconcile(request)),
      head: () => asked(() => (model.room === null ? ('absent' as const) : { ...model.room })),
    };
  }
}

const texts = (messages: readonly ChatMessage[]): string[] => messages.map((entry) => entry.message);

test('whatever is lost, late, repeated or cut off, in the end all nodes have every acknowledged message once, in one order', async () => {
  const step = fc.oneof(
    { weight: 6, arbitrary: fc.record({ does: fc.constant('say' as const), who: fc.nat(2) }) },
    {
      weight: 4,
      arbitrary: fc.record({
        does: fc.constant('hint' as const),
        who: fc.nat(2),
        which: fc.nat(20),
        isKept: fc.boolean(),
      }),
    },
    { weight: 1, arbitrary: fc.record({ does: fc.constantFrom('part' as const, 'join' as const), who: fc.nat(2) }) },
    { weight: 1, arbitrary: fc.record({ does: fc.constantFrom('wait' as const, 'lose' as const), who: fc.nat(2) }) },
  );
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 50, size: 'max' }), async (steps) => {
      const model = new Model();
      const nodes = await Promise.all([new Node(model).open(), new Node(model).open(), new Node(model).open()]);
      const saying: Promise<ChatSent>[] = [];
      let said = 0;
      for (const each of steps) {
        const node = nodes[each.who];
        if (node === undefined) continue;
        if (each.does === 'say') {
          said += 1;
          saying.push(node.say(`message ${said}`));
        } else if (each.does === 'hint') {
          const [hint] = model.hints.slice(each.which);
          if (hint !== undefined && hint.from !== node) node.room?.hear(hint.epoch, hint.messages);
          if (!each.isKept) model.hints.splice(each.which, 1);
        } else if (each.does === 'part') node.goApart();
        else if (each.does === 'join') await node.join();
        else if (each.does === 'lose') model.room = null;
        else await new Promise((resolve) => setTimeout(resolve, 2));
      }
      saying.push((nodes[0] as Node).say('the last')); // an empty room has a cursor of its own at each node
      said += 1;
      const sent = await Promise.all(saying);
      for (const { id, cursor } of sent) model.noteThat(id, cursor);
      // Twice: what one brings, the others must hear.
      for (let round = 0; round < 2; round += 1) for (const node of nodes) await node.join();
      const [first] = nodes;
      for (const { room, published } of nodes) {
        await room?.close();
        const history = room?.history(undefined);
        expect(texts(history?.messages ?? [])).toHaveLength(said);
        expect(history).toEqual(first?.room?.history(undefined));
        expect(new Set(history?.messages.map(({ id }) => id))).toEqual(new Set(sent.map(({ id }) => id)));
        expect(history?.messages.map(({ seq }) => seq)).toEqual(
          [...(history?.messages ?? [])].map(({ seq }) => seq).sort((a, b) => a - b),
        );
        expect([...texts(published)].sort(), 'members heard each once').toEqual(
          [...texts(history?.messages ?? [])].sort(),
        );
      }
    }),
    { numRuns: 100 },
  );
}, 60_000);

test('more messages ahead of a missing one than may wait are not kept: the room is read', async () => {
  const model = new Model();
  const node = await new Node(model).open();
  const { cursor } = await node.say('first');
  const draft = {
    clientId: 'client-1',
    userId: 'ben',
    username: 'Ben',
    role: 'buyer',
    timestampMs: Date.now(),
  } as const;
  const elsewhere = Array.from({ length: AHEAD_MAX + 2 }, (_, index) => {
    const message = { ...draft, id: randomUUID(), message: `${index}` };
    const seq = model.append(cursor.epoch, message);
    return { ...message, seq: Number(seq) };
  });
  node.room?.hear(cursor.epoch, elsewhere.slice(1));
  await expect.poll(() => texts(node.published).length).toBe(AHEAD_MAX + 3);
  expect(node.published.map(({ seq }) => seq)).toEqual(node.published.map((_, index) => index + 1));
  await node.room?.close();
});

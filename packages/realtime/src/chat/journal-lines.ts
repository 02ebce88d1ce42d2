import { type ChatMessage, ROLES } from '@showfloor/protocol';
import { Type } from 'typebox';
import { Compile } from 'typebox/compile';
import type { UnplacedMessage } from './shared-chat.ts';

/**
 * A room's journal is JSON lines: messages, and before those of a new epoch a header. A line that cannot be read (torn by
 * a crash or a full disk) is passed over; the reader never trusts a file to be whole.
 */
const HEADER_START = '{"journal":1,';
const header = Compile(
  Type.Object({
    journal: Type.Literal(1),
    epoch: Type.String({ minLength: 8, maxLength: 64 }),
    apart: Type.Optional(Type.Boolean()),
  }),
);
const unplacedFields = {
  id: Type.String(),
  clientId: Type.String(),
  userId: Type.String(),
  username: Type.String(),
  role: Type.Enum([...ROLES]),
  message: Type.String(),
  timestampMs: Type.Integer({ minimum: 0 }),
};
const unplaced = Compile(Type.Object(unplacedFields));
/** A chat message as it is kept: in a journal, and on its way between nodes. */
export const StoredMessage = Type.Object({ ...unplacedFields, seq: Type.Integer({ minimum: 1 }) });
const message = Compile(StoredMessage);

/** What a journal still tells. */
export type JournalTail = {
  /** The newest epoch; null: none readable. */
  readonly epoch: string | null;
  readonly seq: number;
  /** The last messages, in order. */
  readonly messages: readonly ChatMessage[];
  /** The newest epoch that was not this node's alone. */
  readonly sharedEpoch: string | null;
  /** Messages after this place were said while this node was apart from the others; null: none since they were one. */
  readonly apartSinceSeq: number | null;
};

/** `isApart`: the epoch is this node's alone, because the other nodes cannot be reached. */
export function headerLine(epoch: string, liveId: string, isApart = false): string {
  const apart = isApart ? ',"apart":true' : '';
  return `${HEADER_START}"epoch":${JSON.stringify(epoch)},"liveId":${JSON.stringify(liveId)}${apart}}\n`;
}

export function messageLine(entry: ChatMessage): string {
  return `${JSON.stringify(entry)}\n`;
}

/** Reads the text of a journal (older segment first), keeping the last `messagesMax` messages. Never throws. */
export function readTail(text: string, messagesMax: number): JournalTail {
  const lines = text.split('\n');
  const messages: ChatMessage[] = [];
  let epoch: string | null = null;
  let sharedEpoch: string | null = null;
  let apartSinceSeq: number | null = null;
  for (let index = lines.length - 1; index >= 0; index -= 1) {
    const line = lines[index] ?? '';
    if (line.startsWith(HEADER_START)) {
      const read = readHeader(line);
      epoch ??= read?.epoch ?? null;
      if (read?.apart !== true) sharedEpoch ??= read?.epoch ?? null;
      else if (sharedEpoch === null) apartSinceSeq = placeBefore(messages.at(-1)) ?? apartSinceSeq;
    } else if (messages.length < messagesMax && line !== '') {
      const entry = parse(line);
      if (message.Check(entry)) messages.push(entry);
    }
    if (sharedEpoch !== null && messages.length >= messagesMax) break;
  }
  return { epoch, seq: messages[0]?.seq ?? 0, messages: messages.reverse(), sharedEpoch, apartSinceSeq };
}

/** A message without its place, from its JSON; null when it is none. Never throws. */
export function readUnplaced(text: string): UnplacedMessage | null {
  const value = parse(text);
  return unplaced.Check(value) ? value : null;
}

function placeBefore(entry: ChatMessage | undefined): number | null {
  return entry === undefined ? null : entry.seq - 1;
}

function readHeader(line: string): { readonly epoch: string; readonly apart?: boolean } | null {
  const value = parse(line);
  return header.Check(value) ? value : null;
}

function parse(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return null; // a torn line: the ones around it still count
  }
}

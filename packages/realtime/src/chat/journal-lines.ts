import { type ChatMessage, ROLES } from '@showfloor/protocol';
import { Type } from 'typebox';
import { Compile } from 'typebox/compile';

/**
 * A room's journal is JSON lines: messages, and before those of a new epoch a header. A line that cannot be read (torn by
 * a crash or a full disk) is passed over; the reader never trusts a file to be whole.
 */
const HEADER_START = '{"journal":1,';
const header = Compile(Type.Object({ journal: Type.Literal(1), epoch: Type.String({ minLength: 8, maxLength: 64 }) }));
const message = Compile(
  Type.Object({
    id: Type.String(),
    seq: Type.Integer({ minimum: 1 }),
    clientId: Type.String(),
    userId: Type.String(),
    username: Type.String(),
    role: Type.Enum([...ROLES]),
    message: Type.String(),
    timestampMs: Type.Integer({ minimum: 0 }),
  }),
);

/** What a journal still tells: the newest epoch (null: none readable), the last `seq`, the last messages in order. */
export type JournalTail = {
  readonly epoch: string | null;
  readonly seq: number;
  readonly messages: readonly ChatMessage[];
};

export function headerLine(epoch: string, liveId: string): string {
  return `${HEADER_START}"epoch":${JSON.stringify(epoch)},"liveId":${JSON.stringify(liveId)}}\n`;
}

export function messageLine(entry: ChatMessage): string {
  return `${JSON.stringify(entry)}\n`;
}

/** Reads the text of a journal (older segment first), keeping the last `messagesMax` messages. Never throws. */
export function readTail(text: string, messagesMax: number): JournalTail {
  const lines = text.split('\n');
  const messages: ChatMessage[] = [];
  let epoch: string | null = null;
  for (let index = lines.length - 1; index >= 0; index -= 1) {
    const line = lines[index] ?? '';
    if (line.startsWith(HEADER_START)) {
      epoch ??= readHeader(line);
    } else if (messages.length < messagesMax && line !== '') {
      const entry = parse(line);
      if (message.Check(entry)) messages.push(entry);
    }
    if (epoch !== null && messages.length >= messagesMax) break;
  }
  return { epoch, seq: messages[0]?.seq ?? 0, messages: messages.reverse() };
}

function readHeader(line: string): string | null {
  const value = parse(line);
  return header.Check(value) ? value.epoch : null;
}

function parse(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return null; // a torn line: the ones around it still count
  }
}

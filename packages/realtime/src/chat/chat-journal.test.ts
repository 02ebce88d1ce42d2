import {
  appendFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmdirSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ChatMessage } from '@showfloor/protocol';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ChatJournal, PENDING_BYTES_MAX } from './chat-journal.ts';
import { JournalFolder } from './journal-folder.ts';
import { headerLine, messageLine, readTail } from './journal-lines.ts';

const entry = (seq: number, text = `message ${seq}`): ChatMessage => ({
  id: `id-${seq}`,
  seq,
  clientId: `client-${seq}`,
  userId: 'ana',
  username: 'Ana',
  role: 'buyer',
  message: text,
  timestampMs: 1_000 + seq,
});
const seqs = (messages: readonly ChatMessage[]): number[] => messages.map(({ seq }) => seq);

function journalIn(path: string, segmentBytesMax?: number): { journal: ChatJournal; errors: string[] } {
  const errors: string[] = [];
  const folder = new JournalFolder({
    path,
    retentionDays: 30,
    isNamed: () => true,
    isInUse: () => true,
    onError: (code) => errors.push(code),
  });
  const journal = new ChatJournal({
    folder,
    liveId: 'demo',
    onError: (code) => errors.push(code),
    ...(segmentBytesMax === undefined ? {} : { segmentBytesMax }),
  });
  return { journal, errors };
}

const newFolder = (): string => join(mkdtempSync(join(tmpdir(), 'journal-')), 'chat');

describe('the lines of a journal', () => {
  const whole = headerLine('epoch-one', 'demo') + [1, 2, 3].map((seq) => messageLine(entry(seq))).join('');

  test('cut anywhere by a crash, a journal still gives every whole message before the cut', () => {
    fc.assert(
      fc.property(fc.nat(whole.length), (at) => {
        const text = whole.slice(0, at);
        const wholeLines = text.split('\n').length - 1;
        const tail = readTail(text, 100);
        // A line may be whole already without its line break.
        expect([Math.max(0, wholeLines - 1), wholeLines]).toContain(tail.messages.length);
        expect(seqs(tail.messages)).toEqual(tail.messages.map((_, index) => index + 1));
        expect(tail.epoch).toBe(wholeLines > 0 || text.endsWith('}') ? 'epoch-one' : null);
      }),
    );
  });

  test('a torn line in the middle costs itself only; the last epoch counts', () => {
    const text = `${whole}{"id":"half\n${headerLine('epoch-two', 'demo')}${messageLine(entry(4))}nonsense\n{"seq":5}\n`;
    const tail = readTail(text, 2);
    expect([tail.epoch, tail.seq, seqs(tail.messages)]).toEqual(['epoch-two', 4, [3, 4]]);
  });

  test('what was said apart from the other nodes is told from what they all had', () => {
    const apart = headerLine('epoch-two', 'demo', true) + messageLine(entry(4));
    const again = headerLine('epoch-three', 'demo', true) + messageLine(entry(5));
    const reunited = headerLine('epoch-four', 'demo') + messageLine(entry(6));
    const read = (text: string) => {
      const { epoch, sharedEpoch, apartSinceSeq } = readTail(text, 100);
      return [epoch, sharedEpoch, apartSinceSeq];
    };
    expect(read(whole)).toEqual(['epoch-one', 'epoch-one', null]);
    expect(read(whole + apart)).toEqual(['epoch-two', 'epoch-one', 3]);
    expect(read(whole + apart + again)).toEqual(['epoch-three', 'epoch-one', 3]);
    expect(read(whole + apart + again + reunited)).toEqual(['epoch-four', 'epoch-four', null]);
    expect(read(apart)).toEqual(['epoch-two', null, 3]);
    expect(read(whole + headerLine('epoch-two', 'demo', true))).toEqual(['epoch-two', 'epoch-one', null]);
  });

  test('no text at all breaks the reader', () => {
    fc.assert(fc.property(fc.string({ unit: 'binary' }), (text) => readTail(text, 100).messages.length >= 0));
  });
});

describe('the file', () => {
  test('what was appended is read back, and writing goes on after a torn end', async () => {
    const folder = newFolder();
    const first = journalIn(folder);
    const nothing = { epoch: null, seq: 0, messages: [], sharedEpoch: null, apartSinceSeq: null };
    expect(await first.journal.load()).toEqual(nothing);
    first.journal.setEpoch('epoch-one', false);
    expect(await Promise.all([1, 2, 3].map((seq) => first.journal.append(entry(seq))))).toEqual([true, true, true]);
    await first.journal.close();
    appendFileSync(join(folder, 'demo.jsonl'), '{"id":"torn');

    const second = journalIn(folder);
    const tail = await second.journal.load();
    expect([tail.epoch, tail.seq]).toEqual(['epoch-one', 3]);
    second.journal.setEpoch('epoch-one', true);
    await second.journal.append(entry(4));
    await second.journal.close();
    expect(seqs((await journalIn(folder).journal.load()).messages)).toEqual([1, 2, 3, 4]);
    expect(statSync(join(folder, 'demo.jsonl')).mode & 0o777).toBe(0o600);
    expect([...first.errors, ...second.errors]).toEqual([]);
  });

  test('messages of one turn share a write', async () => {
    const folder = newFolder();
    const { journal } = journalIn(folder);
    await journal.load();
    const order: number[] = [];
    await Promise.all(
      Array.from({ length: 500 }, async (_, index) => {
        await journal.append(entry(index + 1));
        order.push(index + 1);
      }),
    );
    expect(order).toEqual(Array.from({ length: 500 }, (_, index) => index + 1));
    await journal.close();
    expect((await journalIn(folder).journal.load()).seq).toBe(500);
  });

  test('two segments of bounded size are kept, each readable without the other', async () => {
    const folder = newFolder();
    const { journal } = journalIn(folder, 10_000);
    await journal.load();
    journal.setEpoch('epoch-one', false);
    for (let seq = 1; seq <= 400; seq += 1) await journal.append(entry(seq));
    await journal.close();
    const [path, older] = [join(folder, 'demo.jsonl'), join(folder, 'demo.jsonl.1')];
    expect([statSync(path).size < 10_500, statSync(older).size < 10_500]).toEqual([true, true]);
    for (const file of [path, older]) expect(readFileSync(file, 'utf8')).toMatch(/^\{"journal":1,"epoch":"epoch-one"/);
    const tail = await journalIn(folder).journal.load();
    expect([tail.epoch, tail.seq, seqs(tail.messages).at(0)]).toEqual(['epoch-one', 400, 301]);
  });

  test('a disk that refuses is reported, and once it takes again the new epoch stands before its messages', async () => {
    const folder = newFolder();
    const inTheWay = join(folder, 'demo.jsonl');
    mkdirSync(inTheWay, { recursive: true });
    const { journal, errors } = journalIn(folder);
    expect((await journal.load()).epoch).toBeNull();
    journal.setEpoch('epoch-two', false);
    expect(await journal.append(entry(1))).toBe(false);
    rmdirSync(inTheWay);
    expect(await journal.append(entry(2))).toBe(true);
    await journal.close();
    expect(errors).toEqual(['EISDIR', 'EISDIR']);
    const tail = await journalIn(folder).journal.load();
    expect([tail.epoch, seqs(tail.messages)]).toEqual(['epoch-two', [2]]);
  });

  test('more than may wait for the disk is refused, not kept', async () => {
    const folder = newFolder();
    const { journal, errors } = journalIn(folder);
    await journal.load();
    const text = 'x'.repeat(PENDING_BYTES_MAX / 4);
    const written = await Promise.all([1, 2, 3, 4, 5].map((seq) => journal.append(entry(seq, text))));
    expect(written).toEqual([true, true, true, false, false]);
    expect(errors).toEqual(['EBACKLOG', 'EBACKLOG']);
    expect(await journal.append(entry(6))).toBe(true);
    await journal.close();
  });

  test('a segment that someone removed is started anew', async () => {
    const folder = newFolder();
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, 'demo.jsonl'), messageLine(entry(1)).repeat(100));
    const { journal, errors } = journalIn(folder, 100);
    await journal.load();
    rmSync(join(folder, 'demo.jsonl'));
    expect(await journal.append(entry(2))).toBe(true);
    expect([existsSync(join(folder, 'demo.jsonl')), errors]).toEqual([true, []]);
    await journal.close();
  });
});

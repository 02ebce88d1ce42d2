import { appendFileSync, mkdirSync, mkdtempSync, renameSync, rmdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { Identity } from './identity.ts';
import { RESUME_LIFE_MS } from './resume-tokens.ts';
import { Revocations } from './revocations.ts';

const file = (): string => join(mkdtempSync(join(tmpdir(), 'revocations-')), 'sub', 'revocations.jsonl');
const user = (userId: string, vouchedAtMs: number): Identity => ({ userId, name: userId, role: 'buyer', vouchedAtMs });

test('what was vouched for before a revocation is refused, what came after is not, also after a crash', () => {
  const path = file();
  const before = new Revocations(path, 1_000);
  before.add('ana', 1_000);
  appendFileSync(path, '{"userId":"be'); // torn by the crash
  for (const revocations of [before, new Revocations(path, 2_000)]) {
    expect(['ana', 'ben'].map((name) => revocations.has(user(name, 1_000)))).toEqual([true, false]);
    expect(revocations.has(user('ana', 1_001))).toBe(false);
  }
  expect(new Revocations(path, 1_000 + RESUME_LIFE_MS).has(user('ana', 900))).toBe(false); // no token lives that long
});

test('at its bound it refuses more, never less', () => {
  const revocations = new Revocations(file(), 0, 2);
  revocations.add('ana', 10);
  revocations.add('ben', 20);
  revocations.add('cleo', 30);
  expect(revocations.has(user('ana', 10))).toBe(true);
  expect(revocations.has(user('stranger', 10))).toBe(true);
  expect(revocations.has(user('stranger', 11))).toBe(false);
});

test('a revocation that could not be written is in force at once, and refused again until it is written', () => {
  const path = file();
  const revocations = new Revocations(path, 1_000);
  revocations.add('ana', 1_000);
  renameSync(path, `${path}.aside`);
  mkdirSync(path); // the disk refuses
  for (let delivery = 1; delivery <= 2; delivery += 1) {
    expect(() => revocations.add('ben', 1_000), `delivery ${delivery}`).toThrow('EISDIR');
    expect(revocations.has(user('ben', 1_000))).toBe(true);
  }
  expect(() => revocations.add('cleo', 1_000)).toThrow('EISDIR');
  rmdirSync(path);
  renameSync(`${path}.aside`, path);
  appendFileSync(path, '{"userId":"ben","at'); // half of the first try arrived
  revocations.add('ben', 1_000);
  const after = new Revocations(path, 2_000);
  expect(['ana', 'ben', 'cleo'].map((name) => after.has(user(name, 1_000)))).toEqual([true, true, true]);
});

import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { SliceMerger } from '../metrics/slice.ts';
import { RunWriteError, RunWriter } from './run-writer.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'showfloor-lab-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

test('a file that cannot be written stops the run and fails its end, never the process', async () => {
  await mkdir(join(folder, 'series.jsonl')); // a folder where a file should be, like a full disk: the write fails later
  const writer = new RunWriter(folder);
  const failed = new Promise((done) => writer.failed.addEventListener('abort', done, { once: true }));
  writer.writeSlice(0, new SliceMerger(), []);
  await failed;
  writer.writeSlice(1000, new SliceMerger(), []); // after the failure: nothing more happens
  await expect(writer.close()).rejects.toThrow(RunWriteError);
  await expect(writer.close()).rejects.toThrow(/series\.jsonl/);
});

import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

const LOG = fileURLToPath(new URL('./log.ts', import.meta.url));

test('a process whose reader is gone can still log its last words and end', async () => {
  const script = `
    const { createLogger, droppedLogLines } = await import(${JSON.stringify(LOG)});
    const log = createLogger('mug', 'info');
    process.stdin.once('data', () => {
      log.info('cup.cracked');
      log.fatal('cup.broken');
      process.exit(droppedLogLines() === 2 ? 7 : 8);
    });
    log.info('cup.filled');`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', script], { stdio: ['pipe', 'pipe', 'inherit'] });
  const exited = new Promise((resolve) => child.once('exit', resolve));
  const line = await new Promise<string>((resolve) =>
    child.stdout.once('data', (chunk: Buffer) => resolve(chunk.toString())),
  );
  expect(JSON.parse(line)).toMatchObject({ level: 'info', service: 'mug', event: 'cup.filled' });
  child.stdout.once('close', () => child.stdin.write('go\n'));
  child.stdout.destroy();
  expect(await exited).toBe(7);
});

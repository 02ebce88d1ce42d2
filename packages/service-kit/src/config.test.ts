import { expect, test } from 'vitest';
import {
  COMMON_VARIABLES,
  ConfigError,
  describeConfig,
  flagVariable,
  portVariable,
  readConfig,
  urlVariable,
} from './config.ts';

const TABLE = {
  ...COMMON_VARIABLES,
  MEDIA_HTTP_PORT: portVariable(8080, 'Port of HTTP-FLV'),
  MEDIA_RECORD: flagVariable(false, 'Record shows'),
  MEDIA_COMMERCE_URL: urlVariable('', ['http', 'https'], 'Where commerce answers'),
} as const;

test('defaults hold when nothing is set, and an empty variable counts as not set', () => {
  const config = readConfig(TABLE, { MEDIA_HTTP_PORT: '' }, ['MEDIA_']);
  expect(config).toMatchObject({ HOST: '127.0.0.1', MEDIA_HTTP_PORT: 8080, MEDIA_RECORD: false });
  expect(Object.isFrozen(config)).toBe(true);
});

test('all problems are listed at once, a typo with the name that was meant', () => {
  const env = { MEDIA_HTTP_PROT: '1', MEDIA_HTTP_PORT: '99999', MEDIA_RECORD: 'yes', MEDIA_COMMERCE_URL: 'ftp://x' };
  const problems = problemsOf(() => readConfig(TABLE, env, ['MEDIA_']));
  expect(problems).toHaveLength(4);
  expect(problems.join('\n')).toContain('MEDIA_HTTP_PROT: no such variable; did you mean MEDIA_HTTP_PORT?');
  expect(problems.join('\n')).toContain('MEDIA_HTTP_PORT: "99999" is not a whole number from 0 to 65535');
});

test('a URL that is refused is never repeated: it may hold a password', () => {
  const table = { DATABASE_URL: urlVariable('', ['postgres', 'postgresql'], 'Your PostgreSQL') };
  for (const text of [
    'postgres://shop:hunter2@host:port/shop',
    'mysql://shop:hunter2@host/shop',
    'shop:hunter2@host',
  ]) {
    const problems = problemsOf(() => readConfig(table, { DATABASE_URL: text }, []));
    expect(problems.join('\n')).toMatch(/^DATABASE_URL: .*(not a URL|postgres:\/\/ or postgresql:\/\/)/);
    expect(problems.join('\n')).not.toMatch(/hunter2|mysql|host/);
  }
});

test("another program's variables are left alone", () => {
  expect(() => readConfig(TABLE, { COMMERCE_ANYTHING: 'x', PATH: '/bin' }, ['MEDIA_'])).not.toThrow();
});

test('the help lists every variable with its default', () => {
  const help = describeConfig(TABLE);
  for (const name of Object.keys(TABLE)) expect(help).toContain(name);
  expect(help).toContain('8080');
});

function problemsOf(read: () => unknown): readonly string[] {
  try {
    read();
  } catch (error) {
    if (error instanceof ConfigError) return error.problems;
    throw error;
  }
  return [];
}

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { afterEach, describe, expect, test } from 'vitest';
import { waitFor } from './started-floor.ts';

const BOOTSTRAP = fileURLToPath(new URL('../../../bootstrap.mjs', import.meta.url));
/** It belongs to no workspace, so it is loaded by its path. */
const { DEBIAN_PACKAGES, installDebianPackages } = (await import(pathToFileURL(BOOTSTRAP).href)) as {
  readonly DEBIAN_PACKAGES: readonly { readonly name: string; readonly file: string; readonly skipped: string }[];
  readonly installDebianPackages: (
    names: string[],
    policyPath: string,
    env: NodeJS.ProcessEnv,
  ) => Promise<string | null>;
};
const folders: string[] = [];
afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
});

/** A repository that needs no network: a workspace stands in for Vite and writes the web app's one page. */
function makeRepository(): string {
  const root = mkdtempSync(join(tmpdir(), 'showfloor-bootstrap-'));
  folders.push(root);
  const files: Record<string, string> = {
    'package.json': JSON.stringify({
      name: 'shop',
      version: '1.0.0',
      private: true,
      workspaces: ['packages/*', 'apps/*'],
      scripts: { start: 'node bootstrap.mjs && exec env node show.js' },
    }),
    'package-lock.json': JSON.stringify({
      name: 'shop',
      version: '1.0.0',
      lockfileVersion: 3,
      packages: {
        '': { name: 'shop', version: '1.0.0', workspaces: ['packages/*', 'apps/*'] },
        'apps/web': { version: '1.0.0' },
        'node_modules/vite': { resolved: 'packages/vite', link: true },
        'node_modules/web': { resolved: 'apps/web', link: true },
        'packages/vite': { version: '1.0.0', bin: { node: 'bin/node' } },
      },
    }),
    'packages/vite/package.json': JSON.stringify({ name: 'vite', version: '1.0.0', bin: { node: 'bin/node' } }),
    'packages/vite/bin/node': `#!/bin/sh\nTHE_PROJECTS_NODE=yes exec ${process.execPath} "$@"\n`,
    'packages/vite/bin/vite.js': [
      "const { mkdirSync, readFileSync, writeFileSync, appendFileSync } = require('node:fs');",
      "if (readFileSync('index.html', 'utf8').includes('broken')) { console.error('no such import'); process.exit(1); }",
      "const out = process.argv[process.argv.indexOf('--outDir') + 1];",
      "mkdirSync(out, { recursive: true }); writeFileSync(out + '/index.html', readFileSync('index.html'));",
      "appendFileSync('../../builds.txt', 'x');",
    ].join('\n'),
    'apps/web/package.json': JSON.stringify({ name: 'web', version: '1.0.0' }),
    'apps/web/index.html': '<p>one</p>',
    'show.js': [
      "process.on('SIGTERM', () => { console.log('stopped'); process.exit(0); }); setInterval(() => {}, 1000);",
      "console.log(JSON.stringify({ project: process.env.THE_PROJECTS_NODE ?? 'no', pid: process.pid }));",
    ].join('\n'),
  };
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(join(root, dirname(path)), { recursive: true });
    writeFileSync(join(root, path), text);
  }
  chmodSync(join(root, 'packages/vite/bin/node'), 0o755);
  copyFileSync(BOOTSTRAP, join(root, 'bootstrap.mjs'));
  return root;
}

type Run = { readonly code: number; readonly output: string; readonly ms: number };

function run(
  root: string,
  env: Record<string, string> = {},
  command = process.execPath,
  args = ['bootstrap.mjs'],
): Promise<Run> {
  const startedMs = performance.now();
  const { npm_execpath: _, npm_lifecycle_event: __, CI: ___, ...inherited } = process.env;
  return new Promise((resolve) => {
    const child = spawn(command, args, { cwd: root, env: { ...inherited, ...env } });
    let output = '';
    child.stdout.on('data', (chunk) => (output += chunk));
    child.stderr.on('data', (chunk) => (output += chunk));
    child.once('close', (code) => resolve({ code: code ?? -1, output, ms: performance.now() - startedMs }));
  });
}

/** Nothing listens there. */
const OFFLINE = { npm_config_fetch_retries: '0', npm_config_registry: 'http://127.0.0.1:9/' };

function edit(path: string, change: (json: Manifest) => void): void {
  const json = JSON.parse(readFileSync(path, 'utf8')) as Manifest;
  change(json);
  writeFileSync(path, JSON.stringify(json));
}
type Manifest = {
  version: string;
  dependencies?: Record<string, string>;
  packages: Record<string, { version: string; resolved?: string; dependencies?: Record<string, string> }>;
};

/** The lock asks for a package that cannot be had. */
function wantUnreachablePackage(root: string): void {
  edit(join(root, 'package-lock.json'), ({ packages }) => {
    packages[''] = { version: '1.0.0', ...packages[''], dependencies: { mug: '1.0.0' } };
    packages['node_modules/mug'] = { version: '1.0.0', resolved: 'http://127.0.0.1:9/mug-1.0.0.tgz' };
  });
  edit(join(root, 'package.json'), (manifest) => {
    manifest.dependencies = { mug: '1.0.0' };
  });
}

/** The lock asks for something newer, which can be had. */
function wantNewVersion(root: string): void {
  edit(join(root, 'package-lock.json'), ({ packages }) => {
    for (const path of ['packages/vite', 'node_modules/vite']) {
      packages[path] = { ...packages[path], version: '1.0.1' };
    }
  });
  edit(join(root, 'packages/vite/package.json'), (manifest) => {
    manifest.version = '1.0.1';
  });
}

/** A shop started as npm start does it: by a path from this folder. */
function startShop(root: string): { pid: number | undefined; isUp: Promise<unknown>; end: () => Promise<unknown> } {
  mkdirSync(join(root, 'apps/showfloor/src'), { recursive: true });
  writeFileSync(join(root, 'apps/showfloor/src/main.ts'), "console.log('up'); setInterval(() => {}, 1000);");
  const child = spawn(process.execPath, ['apps/showfloor/src/main.ts', 'start'], { cwd: root });
  const closed = once(child, 'close');
  return {
    pid: child.pid,
    isUp: once(child.stdout, 'data'),
    end: () => {
      child.kill('SIGKILL');
      return closed;
    },
  };
}

const page = (root: string): string => readFileSync(join(root, 'apps/web/dist/index.html'), 'utf8');
const builds = (root: string): number => readFileSync(join(root, 'builds.txt'), 'utf8').length;

describe('bootstrap', () => {
  test('installs and builds once, then does nothing within 300 ms', async () => {
    const root = makeRepository();
    const first = await run(root);
    expect(first).toMatchObject({ code: 0, output: expect.stringContaining('Packages installed in') });
    expect(page(root)).toBe('<p>one</p>');
    const runs = [await run(root), await run(root), await run(root)];
    expect(runs.map(({ code, output }) => ({ code, output }))).toEqual(Array(3).fill({ code: 0, output: '' }));
    expect(Math.min(...runs.map(({ ms }) => ms))).toBeLessThan(300);
    expect(builds(root)).toBe(1);
  });

  test('rebuilds when a source changed, and keeps the old build when the new one fails', async () => {
    const root = makeRepository();
    await run(root);
    writeFileSync(join(root, 'apps/web/index.html'), '<p>two</p>');
    expect((await run(root)).code).toBe(0);
    expect(page(root)).toBe('<p>two</p>');
    writeFileSync(join(root, 'apps/web/index.html'), 'broken');
    expect(await run(root)).toMatchObject({ code: 1, output: expect.stringContaining('no such import') });
    expect(page(root)).toBe('<p>two</p>');
  });

  test('installs again after an interrupted install and after a changed lock', async () => {
    const root = makeRepository();
    await run(root);
    rmSync(join(root, 'node_modules'), { recursive: true });
    mkdirSync(join(root, 'node_modules/half'), { recursive: true });
    expect((await run(root)).output).toContain('Packages installed');
    wantNewVersion(root);
    expect((await run(root)).output).toContain('Packages installed');
    expect((await run(root)).output).toBe('');
  });

  test('two at once install and build once', async () => {
    const root = makeRepository();
    const [one, two] = await Promise.all([run(root), run(root)]);
    expect([one.code, two.code]).toEqual([0, 0]);
    expect(`${one.output}${two.output}`.match(/Packages installed/g)).toHaveLength(1);
    expect(builds(root)).toBe(1);
  });

  test('npm start picks the Node that came with the packages, on the very first run, and SIGTERM reaches the server', async () => {
    const root = makeRepository();
    const { npm_execpath: _, ...env } = process.env;
    const npm = spawn('npm', ['start'], { cwd: root, env });
    let output = '';
    npm.stderr.on('data', (chunk) => (output += chunk));
    const line = await new Promise<string>((resolve, reject) => {
      npm.stdout.on('data', (chunk) => {
        output += chunk;
        const found = /^\{.*\}$/m.exec(output);
        if (found !== null) resolve(found[0]);
      });
      npm.once('close', () => reject(new Error(output)));
    });
    const server = JSON.parse(line) as { project: string; pid: number };
    expect(server.project).toBe('yes');
    const closed = new Promise((resolve) => npm.once('close', resolve));
    npm.kill('SIGTERM');
    await closed;
    expect(output).toContain('stopped');
    expect(existsSync(`/proc/${server.pid}`)).toBe(false);
  });

  test('a package that cannot be had costs nothing: what was installed stays and works', async () => {
    const root = makeRepository();
    await run(root);
    const kept = join(root, 'node_modules/.kept');
    writeFileSync(kept, 'as it was');
    const lock = readFileSync(join(root, 'package-lock.json'), 'utf8');
    wantUnreachablePackage(root);
    expect(await run(root, OFFLINE)).toMatchObject({ code: 2 });
    expect(readFileSync(kept, 'utf8')).toBe('as it was');
    expect(existsSync(join(root, 'node_modules/.bin/node'))).toBe(true);
    expect(readdirSync(root).filter((name) => name.includes('node_modules'))).toEqual(['node_modules']);
    writeFileSync(join(root, 'package-lock.json'), lock);
    expect((await run(root)).output).toBe('');
  });

  test('under a running shop of this folder it refuses to install, in one line, exit 2', async () => {
    const root = makeRepository();
    await run(root);
    const shop = startShop(root);
    try {
      await shop.isUp;
      expect((await run(root)).code, 'nothing to install').toBe(0);
      wantNewVersion(root);
      const refused = await run(root);
      expect(refused.code).toBe(2);
      expect(refused.output).toMatch(new RegExp(`^.*\\(pid ${shop.pid}\\).*\\n$`));
      expect(existsSync(join(root, 'node_modules/.bin/node'))).toBe(true);
    } finally {
      await shop.end();
    }
    expect((await run(root)).output).toContain('Packages installed');
  });

  test('a signal waits for npm to end, puts back what was installed, and only then frees the lock', async () => {
    const root = makeRepository();
    await run(root);
    wantNewVersion(root);
    const journal = join(root, 'journal.txt');
    const programs = join(root, 'programs');
    mkdirSync(programs);
    const slowNpm = [
      `#!${process.execPath}`,
      "const { appendFileSync, mkdirSync } = require('node:fs');",
      "mkdirSync('node_modules/half', { recursive: true });",
      `appendFileSync(${JSON.stringify(journal)}, 'begun ');`,
      `process.on('SIGTERM', () => setTimeout(() => { appendFileSync(${JSON.stringify(journal)}, 'ended'); process.exit(1); }, 300));`,
      'setInterval(() => {}, 1000);',
    ].join('\n');
    writeFileSync(join(programs, 'npm'), slowNpm, { mode: 0o755 });
    const { npm_execpath: _, ...env } = process.env;
    const path = `${programs}${delimiter}${env.PATH}`;
    const child = spawn(process.execPath, ['bootstrap.mjs'], { cwd: root, env: { ...env, PATH: path } });
    const closed = once(child, 'close');
    await waitFor('npm to run', () => existsSync(journal));
    child.kill('SIGTERM');
    expect((await closed)[0]).toBe(130);
    expect(readFileSync(journal, 'utf8')).toBe('begun ended');
    expect(existsSync(join(root, 'node_modules/.bin/node'))).toBe(true);
    expect(existsSync(join(root, 'node_modules/half'))).toBe(false);
  });

  test('what a killed set-up had moved aside is put back, and cleared away once all is installed', async () => {
    const root = makeRepository();
    await run(root);
    const manifests = Object.fromEntries(
      ['package.json', 'package-lock.json'].map((name) => [name, readFileSync(join(root, name), 'utf8')]),
    );
    renameSync(join(root, 'node_modules'), join(root, '.node_modules-before'));
    mkdirSync(join(root, 'node_modules/half'), { recursive: true });
    wantUnreachablePackage(root);
    expect(await run(root, OFFLINE)).toMatchObject({ code: 2 });
    expect(existsSync(join(root, 'node_modules/.bin/node'))).toBe(true);
    for (const name of ['package.json', 'package-lock.json']) writeFileSync(join(root, name), manifests[name] ?? '');
    mkdirSync(join(root, '.node_modules-before'));
    expect((await run(root)).code).toBe(0);
    expect(readdirSync(root).filter((name) => name.includes('node_modules'))).toEqual(['node_modules']);
  });

  test('without the network: one line that says so, exit 2', async () => {
    const root = makeRepository();
    wantUnreachablePackage(root);
    const result = await run(root, OFFLINE);
    expect(result).toMatchObject({ code: 2, output: expect.stringContaining('registry cannot be reached') });
  });

  test('names a missing Debian package, and what is skipped, only for npm test', async () => {
    const root = makeRepository();
    await run(root);
    const path = [join(root, 'node_modules/.bin'), dirname(process.execPath)].join(delimiter);
    const tested = await run(root, { PATH: path, npm_lifecycle_event: 'test' });
    expect(tested.code).toBe(0);
    // Commands are hidden by the PATH; libraries lie in fixed folders, where this machine may have them.
    for (const { name, skipped } of DEBIAN_PACKAGES.filter(({ file }) => !/\.s?o$/.test(file))) {
      expect(tested.output).toContain(name);
      expect(tested.output).toContain(skipped);
    }
    expect((await run(root, { PATH: path, npm_lifecycle_event: 'start' })).output).toBe('');
  });

  test('apt-get runs with service start denied, and the denial is removed afterwards', async () => {
    const root = mkdtempSync(join(tmpdir(), 'showfloor-apt-'));
    folders.push(root);
    const policy = join(root, 'policy-rc.d');
    const journal = join(root, 'journal');
    writeFileSync(
      join(root, 'apt-get'),
      `#!/bin/sh\n${policy}; echo "$? $DEBIAN_FRONTEND $*" >> ${journal}\n[ "$1" = update ] || [ ! -e ${root}/fail ]\n`,
      { mode: 0o755 },
    );
    const env = { ...process.env, PATH: `${root}${delimiter}${process.env.PATH}` };
    expect(await installDebianPackages(['ffmpeg'], policy, env)).toBeNull();
    expect(readFileSync(journal, 'utf8').split('\n')).toEqual([
      '101 noninteractive update -qq',
      '101 noninteractive install -y -qq --no-install-recommends ffmpeg',
      '',
    ]);
    expect(existsSync(policy)).toBe(false);
    writeFileSync(join(root, 'fail'), '');
    expect(await installDebianPackages(['ffmpeg'], policy, env)).not.toBeNull();
    expect(existsSync(policy)).toBe(false);
  });
});

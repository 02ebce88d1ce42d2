import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';

/**
 * Who may import whom, and the rules of the house that a machine can hold. Arrows point down only:
 * apps → planes → leaves. A violation names the file, the line and what to do instead.
 */
const ROOT = dirname(fileURLToPath(import.meta.url));

const LEAVES = ['media-formats', 'rtmp-client', 'protocol', 'service-kit'] as const;

/** Workspace folder → packages of ours that it may import. */
const MAY_IMPORT: Readonly<Record<string, readonly string[]>> = {
  'packages/media-formats': [],
  'packages/protocol': [],
  'packages/service-kit': [],
  'packages/rtmp-client': ['media-formats'],
  'packages/media': [...LEAVES],
  'packages/realtime': ['protocol', 'service-kit'],
  'packages/commerce': ['protocol', 'service-kit'],
  'apps/media-server': ['media', ...LEAVES],
  'apps/realtime-server': ['realtime', 'protocol', 'service-kit'],
  'apps/commerce-server': ['commerce', 'protocol', 'service-kit'],
  'apps/worker': ['commerce', 'protocol', 'service-kit'],
  'apps/showfloor': [...LEAVES],
  // The ingest clock's SEI is read in the browser by the same code that reads it elsewhere: docs/decisions/0002.
  'apps/web': ['protocol', 'media-formats'],
  lab: ['media-formats', 'rtmp-client', 'protocol'],
  e2e: ['protocol', 'lab'],
};

/** Only these files of the lab may know our own wire format: the lab tests any platform. */
const LAB_PROTOCOL_FILES = ['lab/targets/showfloor.ts'];

const FORBIDDEN_NAMES = /^(utils?|helpers?|common|misc|shared|core)(\.|$)/;
const CONSOLE_ALLOWED =
  /^(apps\/showfloor\/|apps\/[^/]+\/src\/main\.ts|lab\/src\/cli\/|lab\/src\/outputs\/|scripts\/|packages\/[^/]+\/bench\/|apps\/[^/]+\/scripts\/)/;
const ENV_ALLOWED = /^(apps\/[^/]+\/src\/config\.ts|scripts\/|lab\/src\/cli\/|vitest\.config\.ts)/;

type SourceFile = { readonly path: string; readonly workspace: string; readonly text: string };
type Import = { readonly file: SourceFile; readonly line: number; readonly specifier: string };

const files = Object.keys(MAY_IMPORT).flatMap(sourcesOf);
const imports = files.flatMap(importsOf);

describe('arrows', () => {
  test('every workspace stands in the table', () => {
    const folders = ['packages', 'apps'].flatMap((parent) =>
      readdirSync(join(ROOT, parent)).map((name) => `${parent}/${name}`),
    );
    expect([...folders, 'lab', 'e2e'].filter((folder) => !(folder in MAY_IMPORT))).toEqual([]);
  });

  test('imports between packages follow the table', () => {
    const wrong = imports.flatMap(({ file, line, specifier }) => {
      const name = ownPackage(specifier);
      if (name === null || (MAY_IMPORT[file.workspace] ?? []).includes(name)) return [];
      return [
        `${file.path}:${line} imports @showfloor/${name}: ${file.workspace} may not; move the code down or send a message`,
      ];
    });
    expect(wrong).toEqual([]);
  });

  test('packages are imported by name, not by their inner files', () => {
    const deep = imports.filter(({ specifier }) => /^@showfloor\/[^/]+\//.test(specifier));
    expect(deep.map(where('export it from src/index.ts, or do without'))).toEqual([]);
  });

  test('relative imports stay inside their workspace', () => {
    const outside = imports.filter(({ file, specifier }) => {
      if (!specifier.startsWith('.')) return false;
      const target = relative(ROOT, resolve(ROOT, dirname(file.path), specifier));
      return !target.startsWith(`${file.workspace}/`);
    });
    expect(outside.map(where('import the package by its name'))).toEqual([]);
  });

  test('every imported package is declared by the workspace that imports it', () => {
    const missing = imports.flatMap((found) => {
      const name = packageName(found.specifier);
      if (name === null || declared(found.file.workspace).has(name)) return [];
      return [where(`declare ${name} in ${found.file.workspace}/package.json`)(found)];
    });
    expect(missing).toEqual([]);
  });

  test('only the Showfloor target of the lab knows our protocol', () => {
    const knowing = imports.filter(
      ({ file, specifier }) =>
        file.workspace === 'lab' && specifier === '@showfloor/protocol' && !LAB_PROTOCOL_FILES.includes(file.path),
    );
    expect(knowing.map(where('let the target adapter hand it in'))).toEqual([]);
  });

  test('media-formats does no I/O', () => {
    const io = imports.filter(
      ({ file, specifier }) =>
        file.path.startsWith('packages/media-formats/src/') && specifier.startsWith('node:') && !isTest(file),
    );
    expect(io.map(where('bytes in, values out: do the I/O in the caller'))).toEqual([]);
  });
});

describe('rules of the house', () => {
  test('process.env is read in apps/*/src/config.ts only', () => {
    expect(linesWith(/\bprocess\.env\b/, (file) => ENV_ALLOWED.test(file.path) || isTest(file))).toEqual([]);
  });

  test('console is for command-line tools', () => {
    expect(linesWith(/\bconsole\.\w+\(/, (file) => CONSOLE_ALLOWED.test(file.path) || isTest(file))).toEqual([]);
  });

  test('no file or folder is a room for anything', () => {
    const rooms = files.filter(({ path }) => path.split('/').some((part) => FORBIDDEN_NAMES.test(part)));
    expect(rooms.map(({ path }) => `${path}: name it after what it is, beside its only user`)).toEqual([]);
  });

  test('file names are kebab-case', () => {
    const wrong = files.filter(({ path }) => !/^[a-z0-9]+([-.][a-z0-9]+)*\.tsx?$/.test(path.split('/').at(-1) ?? ''));
    expect(wrong.map(({ path }) => path)).toEqual([]);
  });

  test('no default exports, no star exports', () => {
    const tool = (file: SourceFile): boolean => file.path.endsWith('.config.ts');
    expect(linesWith(/^export default /, tool)).toEqual([]);
    expect(linesWith(/^export \* from/, () => false)).toEqual([]);
  });

  test('no unfinished marks and no skipped tests', () => {
    expect(linesWith(new RegExp(`\\b(${['TO' + 'DO', 'FIX' + 'ME', 'HA' + 'CK'].join('|')})\\b`), () => false)).toEqual(
      [],
    );
    expect(linesWith(/\b(test|it|describe)\.(only|todo|skip)\(/, () => false)).toEqual([]);
  });
});

function sourcesOf(workspace: string): SourceFile[] {
  const found: SourceFile[] = [];
  const walk = (folder: string): void => {
    for (const name of readdirSync(folder)) {
      if (['node_modules', 'dist', 'fixtures', 'runs', 'public'].includes(name)) continue;
      const path = join(folder, name);
      if (statSync(path).isDirectory()) walk(path);
      else if (/\.tsx?$/.test(name))
        found.push({ path: relative(ROOT, path), workspace, text: readFileSync(path, 'utf8') });
    }
  };
  if (existsSync(join(ROOT, workspace))) walk(join(ROOT, workspace));
  return found;
}

function importsOf(file: SourceFile): Import[] {
  const pattern =
    /(?:^|\n)\s*(?:import|export)\s[^;'"`]*?from\s+['"]([^'"]+)['"]|(?:^|\n)\s*import\s+['"]([^'"]+)['"]|\bimport\(\s*['"]([^'"]+)['"]\s*\)/g;
  return [...file.text.matchAll(pattern)].map((match) => ({
    file,
    line: file.text.slice(0, match.index).split('\n').length + (match[0].startsWith('\n') ? 1 : 0),
    specifier: match[1] ?? match[2] ?? match[3] ?? '',
  }));
}

function ownPackage(specifier: string): string | null {
  return /^@showfloor\/([^/]+)/.exec(specifier)?.[1] ?? null;
}

function packageName(specifier: string): string | null {
  if (/^(node:|\.|\/|virtual:)/.test(specifier)) return null;
  const parts = specifier.split('/');
  return specifier.startsWith('@') ? `${parts[0]}/${parts[1]}` : (parts[0] ?? null);
}

function declared(workspace: string): Set<string> {
  const names = new Set<string>();
  for (const path of [join(ROOT, workspace, 'package.json'), join(ROOT, 'package.json')]) {
    const manifest = JSON.parse(readFileSync(path, 'utf8')) as Record<string, Record<string, string> | undefined>;
    for (const field of ['dependencies', 'devDependencies', 'optionalDependencies']) {
      for (const name of Object.keys(manifest[field] ?? {})) names.add(name);
    }
  }
  return names;
}

function isTest(file: SourceFile): boolean {
  return (
    /\.test\.tsx?$/.test(file.path) ||
    /^(e2e|examples)\//.test(file.path) ||
    /\/(test|tests|test-[a-z]+)\//.test(file.path)
  );
}

function where(advice: string): (found: Import) => string {
  return ({ file, line, specifier }) => `${file.path}:${line} imports ${specifier}: ${advice}`;
}

function linesWith(pattern: RegExp, allowed: (file: SourceFile) => boolean): string[] {
  return files
    .filter((file) => !allowed(file))
    .flatMap((file) =>
      file.text.split('\n').flatMap((line, index) => {
        const isComment = /^\s*(\/\/|\*|\/\*)/.test(line);
        return pattern.test(line) && !isComment ? [`${file.path}:${index + 1} ${line.trim()}`] : [];
      }),
    );
}

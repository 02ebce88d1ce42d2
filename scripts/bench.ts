/** `npm run bench -- NAME [options]`: runs `bench/NAME.bench.ts of a package`; without a name lists what there is. */
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { basename, join } from 'node:path';

const benches = new Map(
  ['packages', 'apps']
    .flatMap((parent) => readdirSync(parent).map((name) => join(parent, name, 'bench')))
    .concat('lab/bench', 'e2e/bench')
    .filter((folder) => existsSync(folder))
    .flatMap((folder) =>
      readdirSync(folder)
        .filter((name) => name.endsWith('.bench.ts'))
        .map((name) => join(folder, name)),
    )
    .map((path) => [basename(path, '.bench.ts'), path]),
);

const [name, ...rest] = process.argv.slice(2);
const path = name === undefined ? undefined : benches.get(name);
if (path === undefined) {
  const known = [...benches.keys()].map((bench) => `  npm run bench -- ${bench} [--help]`).join('\n');
  console.error(
    `${name === undefined || name === '--help' ? 'Benchmarks' : `No benchmark is called "${name}". There are`}:\n${known}`,
  );
  process.exit(name === '--help' ? 0 : 2);
}
process.exit(spawnSync(process.execPath, [path, ...rest], { stdio: 'inherit' }).status ?? 1);

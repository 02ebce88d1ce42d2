/**
 * Runs before every root script (`npm start`, `npm test`, …) with whatever Node the machine has (20 or newer) and no
 * dependency: installs the packages when the lock changed, rebuilds the web app when its sources changed, and, for
 * `npm test`, sees to the Debian packages the suites need. Does nothing, quickly, when nothing is to be done.
 *
 * Two at once are safe: whoever has work takes a kernel lock on the repository folder (`flock`), which no crash leaves
 * behind, and looks again once it holds it. Exit codes: 0 done, 1 the web app does not build, 2 the environment must
 * change first (one line says how).
 */
import { spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  accessSync,
  closeSync,
  constants,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  realpathSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { delimiter, dirname, join, resolve, sep } from 'node:path';
import { fileURLToPath } from 'node:url';

const NODE_MAJOR_MIN = 20;
const SERVER_NODE_MAJOR_MIN = 24; // runs .ts as it is
const ARCHITECTURES = ['x64', 'arm64'];
const ERROR_LINES_MAX = 30;
const EXIT_INTERRUPTED = 130;

/** Every Debian package a suite needs: the one list. `file` tells whether it is there. */
export const DEBIAN_PACKAGES = [
  {
    name: 'ffmpeg',
    file: 'ffmpeg',
    skipped: 'the tests that publish with ffmpeg and read our streams with ffprobe',
  },
  {
    name: 'libnss3',
    file: 'libnss3.so',
    skipped: 'the tests in Chromium, which comes from npm and needs this library',
  },
  { name: 'redis-server', file: 'redis-server', skipped: 'the tests of several realtime nodes' },
  { name: 'nginx-light', file: 'nginx', skipped: 'the tests of HTTP/2 and TLS through a proxy' },
  {
    name: 'libnginx-mod-rtmp',
    file: 'ngx_rtmp_module.so',
    skipped: 'the tests that watch nginx-rtmp',
  },
  { name: 'iproute2', file: 'ip', skipped: 'the tests in a network namespace' },
  { name: 'gstreamer1.0-tools', file: 'gst-launch-1.0', skipped: 'the tests that publish with GStreamer' },
  {
    name: 'gstreamer1.0-plugins-base',
    file: 'libgstvideotestsrc.so',
    skipped: 'the tests that publish with GStreamer',
  },
  { name: 'gstreamer1.0-plugins-good', file: 'libgstflv.so', skipped: 'the tests that publish with GStreamer' },
  { name: 'gstreamer1.0-plugins-bad', file: 'libgstrtmp2.so', skipped: 'the tests that publish with GStreamer' },
];

/** Where shared libraries of Debian packages lie; commands lie on PATH. */
const LIBRARY_FOLDERS = ['/usr/lib/x86_64-linux-gnu', '/usr/lib/aarch64-linux-gnu', '/usr/lib64', '/usr/lib'].flatMap(
  (folder) => [folder, `${folder}/gstreamer-1.0`, `${folder}/nginx/modules`],
);

/** Scripts that never show the web app: they need not wait for its build. */
const SCRIPTS_WITHOUT_WEB = new Set(['lab', 'check']);

/** What keeps us from going on: printed as one line. */
export class BootstrapError extends Error {
  constructor(message, exitCode = 2) {
    super(message);
    this.exitCode = exitCode;
  }
}

// ── packages ────────────────────────────────────────────────────────────────────────────────────────────────────────

const installStampPath = (root) => join(root, 'node_modules', '.showfloor-installed');

/** True when `node_modules` holds what the lock says. */
export function isInstalled(root) {
  const wanted = hashFiles(root, ['package-lock.json']);
  if (readOr(installStampPath(root), '') === wanted) return true;
  if (!matchesNpmRecord(root)) return false;
  writeStamp(installStampPath(root), wanted); // somebody ran npm themselves: nothing to do again
  return true;
}

/** Compares the lock with the record npm leaves in node_modules as its last act. */
function matchesNpmRecord(root) {
  const lock = readJson(join(root, 'package-lock.json'));
  const record = readJson(join(root, 'node_modules', '.package-lock.json'));
  if (lock === null || record === null) return false;
  return Object.entries(lock.packages ?? {}).every(([path, wanted]) => {
    if (path === '') return true;
    const found = record.packages?.[path];
    // Not recorded: packages of other platforms, and the workspaces themselves (only their links are).
    if (found === undefined)
      return wanted.optional === true || wanted.devOptional === true || !path.includes('node_modules');
    return found.version === wanted.version && found.integrity === wanted.integrity;
  });
}

/** Where the packages of before wait while new ones are installed: npm deletes them long before it knows that it can. */
const asidePath = (root) => join(root, '.node_modules-before');

async function install(root) {
  checkPlatform();
  checkWritable(root);
  checkNoShopRuns(root);
  const done = progress('Installing packages');
  const putBack = moveAside(root);
  const npm = npmCommand(root);
  // A dev dependency builds the web app, an optional one is the Node that runs the servers: both whatever NODE_ENV says.
  const args = ['ci', '--include=dev', '--include=optional', '--no-audit', '--no-fund', '--loglevel=error'];
  args.push('--fetch-retry-mintimeout=1000', '--fetch-retry-maxtimeout=8000');
  const result = await run(npm.command, [...npm.args, ...args], { cwd: root, env: npm.env });
  if (result.code !== 0) {
    putBack();
    done(null);
    throw new BootstrapError(explainNpm(result.output, root));
  }
  writeStamp(installStampPath(root), hashFiles(root, ['package-lock.json']));
  rmSync(asidePath(root), { recursive: true, force: true });
  done('Packages installed');
}

/** Moves the packages out of npm's way. Returns what puts them back in place of whatever npm has left. */
function moveAside(root) {
  const installed = join(root, 'node_modules');
  const aside = asidePath(root);
  const putBack = () => {
    if (!existsSync(aside)) return;
    rmSync(installed, { recursive: true, force: true });
    renameSync(aside, installed);
  };
  putBack(); // an earlier set-up was killed: what it had begun is worth nothing
  try {
    renameSync(installed, aside);
  } catch {
    // none yet, or a mount that cannot be moved: npm then works in place
  }
  return putBack;
}

/** A running shop loads its programs from node_modules at each restart of a plane: it must not lose them. */
function checkNoShopRuns(root) {
  const pid = runningShop(root);
  if (pid === null) return;
  throw new BootstrapError(
    `Showfloor is running from ${root} (pid ${pid}) and other packages must be installed: stop it, then run the same command again.`,
  );
}

/** The pid of a process of a shop that was started from this folder, the supervisor's first; or null. */
function runningShop(root) {
  const planes = ['media-server', 'realtime-server', 'commerce-server', 'worker'];
  const entryOf = (app) => join(root, 'apps', app, 'src/main.ts');
  const found = readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map((pid) => ({ pid, words: readOr(`/proc/${pid}/cmdline`, '').split('\0') }))
    .filter(({ words }) => words.some((word) => word.endsWith('src/main.ts')));
  const runs = ({ pid, words }, entry) => words.some((word) => resolve(folderOf(pid), word) === entry);
  const shop =
    found.find((each) => each.words.includes('start') && runs(each, entryOf('showfloor'))) ??
    found.find((each) => planes.some((plane) => runs(each, entryOf(plane))));
  return shop === undefined ? null : Number(shop.pid);
}

/** Where a process works; the root folder when it is gone or another user's. */
function folderOf(pid) {
  try {
    return readlinkSync(`/proc/${pid}/cwd`);
  } catch {
    return '/';
  }
}

/** npm itself must not run on the Node inside node_modules, which it is about to replace. */
function npmCommand(root) {
  const own = join(root, 'node_modules') + sep;
  const folders = (process.env.PATH ?? '').split(delimiter).filter((folder) => !(folder + sep).startsWith(own));
  const env = { ...process.env, PATH: folders.join(delimiter) };
  const script = process.env.npm_execpath;
  const node = folders.map((folder) => join(folder, 'node')).find((path) => existsSync(path));
  if (script !== undefined && /npm-cli\.c?js$/.test(script) && existsSync(script)) {
    const ownNode = process.execPath.startsWith(own)
      ? join(asidePath(root), process.execPath.slice(own.length))
      : process.execPath;
    return { command: node ?? ownNode, args: [script], env };
  }
  return { command: 'npm', args: [], env };
}

function explainNpm(output, root) {
  if (/ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ECONNRESET|ETIMEDOUT|ENETUNREACH|ERR_SOCKET_TIMEOUT/.test(output)) {
    return "The package registry cannot be reached: check the network (or npm's proxy and registry settings), then run the same command again.";
  }
  if (/EACCES|EPERM|EROFS/.test(output)) return unwritable(root);
  if (/ENOSPC/.test(output))
    return `No space is left on the disk of ${root}: free about 1 GB, then run the same command again.`;
  if (/ENOENT.*spawn|command not found/.test(output))
    return 'npm is missing: install it (Debian: apt-get install npm).';
  return `npm ci failed:\n${output.trim().split('\n').slice(-ERROR_LINES_MAX).join('\n')}`;
}

// ── web app ─────────────────────────────────────────────────────────────────────────────────────────────────────────

const WEB_SOURCES = ['apps/web', 'packages/protocol', 'packages/media-formats', 'package-lock.json'];
const webStampPath = (root) => join(root, 'node_modules', '.showfloor-web');

/** True when `apps/web/dist` was built from the sources as they are now. */
export function isWebBuilt(root) {
  if (!existsSync(join(root, 'apps/web/index.html'))) return true; // a checkout without the web app
  if (!existsSync(join(root, 'apps/web/dist/index.html'))) return false;
  return readOr(webStampPath(root), '') === hashFiles(root, WEB_SOURCES);
}

async function buildWeb(root) {
  checkWritable(join(root, 'apps/web'));
  const done = progress('Building the web app');
  const wanted = hashFiles(root, WEB_SOURCES);
  // Built beside and moved into place: a running server never serves half a build, a failed build keeps the old one.
  const draft = join(root, 'node_modules', '.showfloor-web-draft');
  const vite = join(root, 'node_modules/vite/bin/vite.js');
  const args = [vite, 'build', '--outDir', draft, '--emptyOutDir', '--logLevel', 'warn'];
  const result = await run(projectNode(root), args, { cwd: join(root, 'apps/web'), env: process.env });
  if (result.code !== 0) {
    done(null);
    throw new BootstrapError(`The web app does not build:\n${result.output.trim()}`, 1);
  }
  const dist = join(root, 'apps/web/dist');
  const old = `${draft}-old`;
  rmSync(old, { recursive: true, force: true });
  if (existsSync(dist)) renameSync(dist, old);
  renameSync(draft, dist);
  rmSync(old, { recursive: true, force: true });
  writeStamp(webStampPath(root), wanted);
  done('Web app built');
}

/** The Node that runs the servers: the one that came with the packages, else our own when it is new enough. */
export function projectNode(root) {
  const bundled = join(root, 'node_modules/.bin/node');
  if (existsSync(bundled)) return bundled;
  if (majorVersion(process.versions.node) >= SERVER_NODE_MAJOR_MIN) return process.execPath;
  throw new BootstrapError(
    `Node ${SERVER_NODE_MAJOR_MIN} did not come with the packages: run "npm ci --include=optional", or install Node ${SERVER_NODE_MAJOR_MIN}.`,
  );
}

// ── Debian packages of the suites ───────────────────────────────────────────────────────────────────────────────────

/** The packages whose command or library is not there. */
export function missingDebianPackages(path = process.env.PATH ?? '') {
  // /usr/lib has folders named like commands.
  const foldersOf = (file) => (/\.s?o$/.test(file) ? LIBRARY_FOLDERS : path.split(delimiter));
  return DEBIAN_PACKAGES.filter(({ file }) => !foldersOf(file).some((folder) => existsSync(join(folder, file))));
}

async function seeToDebianPackages() {
  const missing = missingDebianPackages();
  if (missing.length === 0) return;
  const names = missing.map(({ name }) => name).join(' ');
  if (process.env.CI !== 'true') {
    say(
      `Missing: ${names} (apt-get install ${names}). Skipped: ${[...new Set(missing.map(({ skipped }) => skipped))].join('; ')}.`,
    );
    return;
  }
  if (!existsSync('/etc/debian_version')) throw new BootstrapError(`Missing: ${names}. Install them, then run again.`);
  const done = progress(`Installing ${names}`);
  const error = await installDebianPackages(missing.map(({ name }) => name));
  done(error === null ? `Installed ${names}` : null);
  if (error !== null) throw new BootstrapError(`apt-get could not install ${names}:\n${error}`);
}

/**
 * Installs Debian packages without letting their services start: a daemon would take a port that a suite needs.
 * Returns null, or what apt-get said.
 */
export async function installDebianPackages(names, policyPath = '/usr/sbin/policy-rc.d', env = process.env) {
  const ours = !existsSync(policyPath);
  const removePolicy = () => {
    if (ours) rmSync(policyPath, { force: true });
  };
  try {
    if (ours) writeFileSync(policyPath, '#!/bin/sh\nexit 101\n', { mode: 0o755, flag: 'wx' });
    process.on('exit', removePolicy);
    const quiet = { cwd: '/', env: { ...env, DEBIAN_FRONTEND: 'noninteractive' } };
    const update = await run('apt-get', ['update', '-qq'], quiet);
    const result = await run('apt-get', ['install', '-y', '-qq', '--no-install-recommends', ...names], quiet);
    return result.code === 0
      ? null
      : `${update.output}${result.output}`.trim().split('\n').slice(-ERROR_LINES_MAX).join('\n');
  } catch (error) {
    return error.message;
  } finally {
    removePolicy();
    process.off('exit', removePolicy);
  }
}

// ── the machine ─────────────────────────────────────────────────────────────────────────────────────────────────────

function checkNode() {
  if (majorVersion(process.versions.node) >= NODE_MAJOR_MIN) return;
  throw new BootstrapError(
    `Node ${process.versions.node} is too old: Showfloor needs Node ${NODE_MAJOR_MIN} or newer to begin (it brings its own for the servers).`,
  );
}

function checkPlatform() {
  const supported = 'Showfloor runs on Linux with glibc, x64 or arm64';
  if (process.platform !== 'linux' || !ARCHITECTURES.includes(process.arch)) {
    throw new BootstrapError(`${supported}; this is ${process.platform} ${process.arch}.`);
  }
  process.report.excludeNetwork = true; // else it looks names up
  if (process.report.getReport().header.glibcVersionRuntime === undefined) {
    throw new BootstrapError(`${supported}; this system has another C library (musl?).`);
  }
}

function checkWritable(folder) {
  try {
    accessSync(folder, constants.W_OK);
  } catch {
    throw new BootstrapError(unwritable(folder));
  }
}

const unwritable = (folder) =>
  `${folder} cannot be written to: run as its owner, or clone Showfloor into a folder of your own.`;

/** Takes the lock of the repository folder. The kernel frees it with the returned descriptor or with our death. */
async function lock(root) {
  const descriptor = openSync(root, 'r');
  const inherit = { stdio: ['ignore', 'ignore', 'ignore', descriptor] };
  const first = spawnSync('flock', ['--nonblock', '3'], inherit);
  if (first.error === undefined && first.status !== 0) {
    say('Another set-up of this folder is running: waiting for it.');
    await new Promise((resolve) => spawn('flock', ['3'], inherit).once('close', resolve));
  }
  return descriptor;
}

// ── plain parts ─────────────────────────────────────────────────────────────────────────────────────────────────────

const majorVersion = (version) => Number(version.split('.')[0]);
const say = (line) => process.stderr.write(`${line}\n`);

/** Shows that something long runs; the returned function ends it, with what was done or null. */
function progress(what) {
  const startedMs = Date.now();
  const seconds = () => ((Date.now() - startedMs) / 1000).toFixed(1);
  const live = process.stderr.isTTY === true;
  let timer;
  if (live) timer = setInterval(() => process.stderr.write(`\r${what} … ${seconds()} s `), 200);
  else say(`${what} …`);
  return (doneText) => {
    clearInterval(timer);
    if (live) process.stderr.write('\r\u001b[K');
    if (doneText !== null) say(`${doneText} in ${seconds()} s`);
  };
}

/** The program that runs now: ended before us, so that an interrupted set-up leaves nothing running and nothing half-done. */
let running = null;
let isInterrupted = false;

/** A second wish within this time is the same one: npm passes Ctrl-C on to us, who have had it from the terminal. */
const REPEATED_SIGNAL_MS = 500;
let interruptedMs = 0;

/** Asks the running program to end; whoever waits for it cleans up. Asked again, it is killed. */
function interrupt() {
  if (running === null) process.exit(EXIT_INTERRUPTED);
  if (!isInterrupted) {
    isInterrupted = true;
    interruptedMs = Date.now();
    running.kill('SIGTERM');
  } else if (Date.now() - interruptedMs > REPEATED_SIGNAL_MS) {
    running.kill('SIGKILL');
  }
}

/** Runs a program to its end; never throws. `output` is what it printed on both streams. Once interrupted, runs none. */
function run(command, args, options) {
  if (isInterrupted) return Promise.resolve({ code: EXIT_INTERRUPTED, output: '' });
  return new Promise((resolve) => {
    const child = spawn(command, args, { ...options, stdio: ['ignore', 'pipe', 'pipe'] });
    running = child;
    let output = '';
    const keep = (chunk) => {
      output = (output + chunk).slice(-64_000);
    };
    child.stdout.on('data', keep);
    child.stderr.on('data', keep);
    const end = (result) => {
      running = null;
      resolve(result);
    };
    child.once('error', (error) => end({ code: 127, output: `${error.message}\n` }));
    child.once('close', (code) => end({ code: code ?? 1, output }));
  });
}

/** One hash over the names and bytes of files and folders below `root`; build products are left out. */
function hashFiles(root, paths) {
  const hash = createHash('sha256');
  const visit = (path) => {
    let entries;
    try {
      entries = readdirSync(join(root, path), { withFileTypes: true });
    } catch (error) {
      if (error.code === 'ENOTDIR')
        hash
          .update(`${path}\0`)
          .update(readFileSync(join(root, path)))
          .update('\0');
      return; // a missing path hashes as nothing
    }
    for (const entry of entries.sort((a, b) => (a.name < b.name ? -1 : 1))) {
      if (entry.name === 'node_modules' || entry.name === 'dist') continue;
      const child = `${path}/${entry.name}`;
      if (entry.isDirectory()) visit(child);
      else
        hash
          .update(`${child}\0`)
          .update(readFileSync(join(root, child)))
          .update('\0');
    }
  };
  for (const path of paths) visit(path);
  return hash.digest('hex');
}

function writeStamp(path, text) {
  const draft = `${path}.${process.pid}`;
  try {
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(draft, text);
    renameSync(draft, path);
  } catch {
    rmSync(draft, { force: true }); // a read-only checkout that is complete still runs; it is looked at again next time
  }
}

function readOr(path, fallback) {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return fallback;
  }
}

function readJson(path) {
  try {
    return JSON.parse(readFileSync(path, 'utf8'));
  } catch {
    return null;
  }
}

/** Everything in order. `script` is the name of the npm script that asks. */
export async function bootstrap(root, script) {
  checkNode();
  const needsWeb = !SCRIPTS_WITHOUT_WEB.has(script);
  const upToDate = () => isInstalled(root) && !existsSync(asidePath(root)) && (!needsWeb || isWebBuilt(root));
  const wantsDebian = script === 'test';
  if (!upToDate() || (wantsDebian && missingDebianPackages().length > 0)) {
    const descriptor = await lock(root);
    try {
      if (!isInstalled(root)) await install(root);
      rmSync(asidePath(root), { recursive: true, force: true }); // left by one that was killed as it finished
      if (needsWeb && !isWebBuilt(root)) await buildWeb(root);
      if (wantsDebian) await seeToDebianPackages();
    } finally {
      closeSync(descriptor);
    }
  }
}

if (process.argv[1] !== undefined && realpathSync(process.argv[1]) === fileURLToPath(import.meta.url)) {
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, interrupt);
  bootstrap(dirname(fileURLToPath(import.meta.url)), process.env.npm_lifecycle_event ?? '').then(
    () => {
      if (isInterrupted) process.exit(EXIT_INTERRUPTED);
    },
    (error) => {
      if (isInterrupted) process.exit(EXIT_INTERRUPTED);
      say(error instanceof BootstrapError ? error.message : error.stack);
      process.exit(error.exitCode ?? 1);
    },
  );
}

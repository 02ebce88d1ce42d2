import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { StartError } from '@showfloor/service-kit';

/**
 * As whom PostgreSQL runs. It refuses root, so root runs it in a user namespace of its own, where root's files belong
 * to user 1000; where namespaces are refused (many containers), as an unprivileged user who then owns its files.
 */
export type PostgresIdentity =
  | { readonly kind: 'self' }
  | { readonly kind: 'namespace' }
  | { readonly kind: 'unprivileged'; readonly uid: number; readonly gid: number };

/** A program with its arguments. */
export type CommandLine = { readonly command: string; readonly args: readonly string[] };

const NAMESPACE_ARGS = ['--user', '--map-user=1000', '--map-group=1000'];

/** True when this machine lets us make user namespaces. */
export function canUseNamespaces(): boolean {
  return spawnSync('unshare', [...NAMESPACE_ARGS, 'true'], { stdio: 'ignore' }).status === 0;
}

/**
 * The ways to run PostgreSQL here, best first; `ownerUid` is the owner of the data folder (root may work in somebody's
 * home, where only that user can go). Throws {@link StartError} when a needed program is missing.
 */
export function postgresIdentities(ownerUid: number, ownerGid: number): readonly PostgresIdentity[] {
  if (spawnSync('setpriv', ['--version'], { stdio: 'ignore' }).error !== undefined) {
    throw new StartError('the program setpriv is missing: install util-linux, or set DATABASE_URL');
  }
  if (process.getuid?.() !== 0) return [{ kind: 'self' }];
  const owner: PostgresIdentity = { kind: 'unprivileged', uid: ownerUid, gid: ownerGid };
  return [
    ...(canUseNamespaces() ? [{ kind: 'namespace' } as const] : []),
    ...(ownerUid === 0 ? [] : [owner]),
    { kind: 'unprivileged', ...unprivilegedUser() },
  ];
}

/** The owner that the files of this identity must have, or null when they are our own anyway. */
export function fileOwner(identity: PostgresIdentity): { readonly uid: number; readonly gid: number } | null {
  switch (identity.kind) {
    case 'self':
      return null;
    case 'namespace':
      return { uid: 0, gid: 0 };
    case 'unprivileged':
      return identity;
  }
}

/**
 * The command line that runs `program` as `identity`; the kernel sends it `deathSignal` when we die, however we die.
 * Each wrapper replaces itself, so the pid is the program's own.
 */
export function runAs(identity: PostgresIdentity, deathSignal: 'INT' | 'KILL', program: CommandLine): CommandLine {
  const bound = ['--pdeathsig', deathSignal];
  const target = ['--', program.command, ...program.args];
  switch (identity.kind) {
    case 'self':
      return { command: 'setpriv', args: [...bound, ...target] };
    case 'namespace':
      return { command: 'unshare', args: [...NAMESPACE_ARGS, 'setpriv', ...bound, ...target] };
    case 'unprivileged': {
      const drop = [`--reuid=${identity.uid}`, `--regid=${identity.gid}`, '--clear-groups', '--no-new-privs'];
      return { command: 'setpriv', args: [...drop, ...bound, ...target] };
    }
  }
}

/** Whether `identity` can run `postgres` and write to `folder`: a 0700 home above them keeps others out. */
export function canReach(identity: PostgresIdentity, postgres: string, folder: string): boolean {
  const test = 'test -x "$0" && test -r "$0" && test -w "$1" && test -x "$1"';
  const reach = runAs(identity, 'KILL', { command: 'sh', args: ['-c', test, postgres, folder] });
  return spawnSync(reach.command, reach.args, { stdio: 'ignore', cwd: '/' }).status === 0;
}

/** The user `postgres` where there is one, else `nobody`. */
function unprivilegedUser(): { uid: number; gid: number } {
  const entries = readFileSync('/etc/passwd', 'utf8')
    .split('\n')
    .map((line) => line.split(':'));
  const found = entries.find(([name]) => name === 'postgres') ?? entries.find(([name]) => name === 'nobody');
  return { uid: Number(found?.[2] ?? 65_534), gid: Number(found?.[3] ?? 65_534) };
}

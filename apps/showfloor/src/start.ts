import { StartError } from '@showfloor/service-kit';
import { ChildConsole } from './child-console.ts';
import { readStartConfig, type StartConfig, wantsColour } from './config.ts';
import { lockDataFolder } from './data-folder.ts';
import { endOrphans } from './orphans.ts';
import { describePortProblems, findPortProblems } from './port-check.ts';
import { SERVICES, type ServiceSpec } from './services.ts';
import { formatStatusBlock } from './status-block.ts';
import { failureOf, Supervisor } from './supervisor.ts';
import { watchSources } from './watch.ts';

/** What the command line of `start` says. */
export type StartOptions = {
  readonly demo: boolean;
  readonly watch: boolean;
  readonly verbose: boolean;
  readonly dataDir?: string;
};

/** For tests: other services and another clip in the places of ours. */
export type StartParts = { readonly services?: readonly ServiceSpec[]; readonly demoClip?: string };

/** npm passes Ctrl-C on to us, who have had it from the terminal already: the second one is the same wish. */
const REPEATED_SIGNAL_MS = 500;
const FORCED_EXIT_MS = 300;
const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/**
 * Runs Showfloor until a signal ends it. Resolves with the exit code: 0 after a signal, 2 when the environment must change
 * first, 1 when a process does not start. Nothing is left running in any case.
 */
export async function runStart(options: StartOptions, parts: StartParts = {}): Promise<number> {
  ignoreClosedTerminal();
  try {
    const config = readStartConfig(options.dataDir);
    const lock = lockDataFolder(config.DATA_DIR);
    try {
      await endOrphans(config.DATA_DIR);
      const problems = await findPortProblems(config.HOST, config);
      if (problems.length > 0) throw new StartError(describePortProblems(problems));
      return await supervise(config, options, parts);
    } finally {
      lock.release();
    }
  } catch (error) {
    return report(error);
  }
}

async function supervise(config: StartConfig, options: StartOptions, parts: StartParts): Promise<number> {
  const colour = wantsColour(process.stdout);
  const services = parts.services ?? SERVICES;
  const supervisor = new Supervisor({
    config,
    services,
    withDemo: options.demo,
    console: new ChildConsole({
      dataDir: config.DATA_DIR,
      level: config.LOG_LEVEL,
      isVerbose: options.verbose,
      colour,
      write: print,
    }),
    ...(parts.demoClip === undefined ? {} : { demoClip: parts.demoClip }),
  });
  const stopped = Promise.withResolvers<'signal'>();
  const forgetSignals = handleSignals(supervisor, () => stopped.resolve('signal'));
  const sources = new AbortController();
  try {
    print(`Starting Showfloor in ${config.DATA_DIR}\n`);
    const outcome = await Promise.race([supervisor.start(), stopped.promise]);
    if (outcome === 'signal') return 0;
    const { secrets, isDemoOnAir, ageMs } = supervisor;
    print(
      `${formatStatusBlock({ config, signInToken: secrets.signInToken, hasDemo: secrets.demoStreamSecret !== null, isDemoOnAir, readyMs: ageMs }, colour)}\n`,
    );
    process.send?.({ type: 'ready' });
    if (options.watch) watchSources(services, (name) => supervisor.restart(name), print, sources.signal);
    await Promise.race([supervisor.failure, stopped.promise]);
    return 0;
  } catch (error) {
    if (supervisor.isStopping) return 0;
    return report(error);
  } finally {
    sources.abort();
    await supervisor.stop();
    forgetSignals();
  }
}

/** The first signal drains, a later one forces. Returns what takes the handlers away again. */
function handleSignals(supervisor: Supervisor, onFirst: () => void): () => void {
  let firstMs = 0;
  const onSignal = (signal: NodeJS.Signals): void => {
    if (firstMs === 0) {
      firstMs = Date.now();
      print(`\n${signal === 'SIGINT' ? '' : `${signal}: `}stopping …\n`);
      onFirst();
    } else if (Date.now() - firstMs > REPEATED_SIGNAL_MS) {
      print('stopping at once\n');
      supervisor.force();
      setTimeout(() => process.exit(1), FORCED_EXIT_MS);
    }
  };
  for (const signal of SIGNALS) process.on(signal, onSignal);
  return () => {
    for (const signal of SIGNALS) process.off(signal, onSignal);
  };
}

function report(error: unknown): number {
  const { message, exitCode } = failureOf(error);
  process.stderr.write(`\nShowfloor cannot start: ${message}\n`);
  return exitCode;
}

/** A closed terminal or pipe must not end the shop before it has drained. */
function ignoreClosedTerminal(): void {
  for (const stream of [process.stdout, process.stderr]) stream.on('error', () => undefined);
}

function print(text: string): void {
  process.stdout.write(text);
}

import { EXIT_FAILED, EXIT_OK, EXIT_USAGE } from '@showfloor/service-kit';
import { Command, CommanderError } from 'commander';
import { describeVariables, readStartConfig, readStreamKey, wantsColour } from './config.ts';
import { examine, formatFindings } from './doctor.ts';
import { publish, publishUrl, readKeyFromInput } from './publish.ts';
import { allVariables, DEMO_CLIP } from './services.ts';
import { newSignInLink } from './sign-in-link.ts';
import { runStart } from './start.ts';
import { failureOf } from './supervisor.ts';

const EXAMPLES = `
Examples (npm run showfloor -- …, or npm start -- …):
  start                                   everything, with a demo show on air
  start --no-demo --data-dir /srv/shop    your own shop
  doctor                                  is this machine fit for a show?
  signin-link                             a new sign-in link for the seller
  publish --url rtmp://127.0.0.1:1935/live/demo --key -    play the clip; the key comes from standard input
`;

const VARIABLES = `
Variables:
${describeVariables()}

Each server has more of its own: npm run showfloor -- variables
`;

let exitCode: number = EXIT_OK;

function buildCommand(): Command {
  const program = new Command('showfloor')
    .description('Live shopping that you host yourself.')
    .exitOverride() // bad usage is exit code 2, not commander's 1
    .configureHelp({ helpWidth: 120 })
    .showHelpAfterError('(--help lists what there is)')
    .addHelpText('after', EXAMPLES + VARIABLES);
  program
    .command('start')
    .description('start the database, the servers and the demo show; Ctrl-C stops them')
    .option('--no-demo', 'an empty shop, without the demo seller and show')
    .option('--watch', 'restart a server when its files change', false)
    .option('--verbose', 'show every log line, not only warnings and errors', false)
    .option('--data-dir <folder>', 'folder for database, keys and logs (DATA_DIR)')
    .addHelpText('after', VARIABLES)
    .action(async (options: { demo: boolean; watch: boolean; verbose: boolean; dataDir?: string }) => {
      exitCode = await runStart(options);
    });
  program
    .command('doctor')
    .description('look at ports, limits, disk, clock and kernel settings, and say what to change')
    .option('--data-dir <folder>', 'folder to look at (DATA_DIR)')
    .action(async ({ dataDir }: { dataDir?: string }) => {
      const findings = await examine(readStartConfig(dataDir));
      process.stdout.write(`${formatFindings(findings, wantsColour(process.stdout))}\n`);
      exitCode = findings.some(({ state }) => state === 'fail') ? EXIT_FAILED : EXIT_OK;
    });
  program
    .command('signin-link')
    .description('print a new one-time sign-in link for the seller of the running shop')
    .option('--data-dir <folder>', 'its folder (DATA_DIR)')
    .action(async ({ dataDir }: { dataDir?: string }) => {
      process.stdout.write(`${await newSignInLink(readStartConfig(dataDir))}\n`);
    });
  program
    .command('variables')
    .description('print every environment variable of every server')
    .action(() => {
      process.stdout.write(allVariables());
    });
  program
    .command('publish')
    .description('stream an FLV file to an RTMP server, in real time, again and again')
    .requiredOption('--url <url>', 'rtmp://host[:port]/live/{show}')
    .option('--key <key>', 'stream key; "-" reads it from standard input (else: SHOWFLOOR_STREAM_KEY)')
    .option('--file <file>', 'FLV file with H.264 and AAC (default: the demo clip)')
    .option('--once', 'end after one round, and at the first refusal', false)
    .action(async (options: { url: string; key?: string; file?: string; once: boolean }) => {
      const stop = new AbortController();
      for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => stop.abort());
      exitCode = await publish({
        url: publishUrl(options.url, options.key === '-' ? readKeyFromInput() : (options.key ?? readStreamKey())),
        file: options.file ?? DEMO_CLIP,
        isOnce: options.once,
        signal: stop.signal,
        print: (line) => process.stdout.write(`${line}\n`),
      });
    });
  return program;
}

try {
  await buildCommand().parseAsync();
} catch (error) {
  if (error instanceof CommanderError) {
    exitCode = error.exitCode === 0 ? EXIT_OK : EXIT_USAGE;
  } else {
    const failure = failureOf(error);
    process.stderr.write(`${failure.message}\n`);
    exitCode = failure.exitCode;
  }
}
process.exit(exitCode);

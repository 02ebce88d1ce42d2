#!/usr/bin/env node
/** `npm run lab -- <command>`: the command line of the lab. */
import { Command, CommanderError } from 'commander';
import { EXIT_CODES } from '../verdict/verdict.ts';
import { calibrateCommand } from './calibrate-command.ts';
import { conformanceCommand } from './conformance-command.ts';
import { monitorCommand } from './monitor-command.ts';
import { parityCommand } from './parity-command.ts';
import { publishCommand } from './publish-command.ts';
import { replayCommand } from './replay-command.ts';
import { reportCommand } from './report-command.ts';
import { runCommand } from './run-command.ts';

const EPILOGUE = `
Examples:
  npm run lab -- run smoke --target http://127.0.0.1:3000
      Showfloor: video, room and shop, one minute
  npm run lab -- run smoke --target http://media.example.com:8080/live/test.flv --viewers 100
      any server that speaks HTTP-FLV (or HLS: name its .m3u8): the video part of the same scenario
  npm run lab -- run ramp --target http://127.0.0.1:3000 --time-scale 0.1 --set llhls-share=0.2
  npm run lab -- run ramp-mini --target http://127.0.0.1:3000 --time-scale 0.25 --seed 7
  npm run lab -- monitor --target http://127.0.0.1:3000
      no load: what the collectors see, in a browser at http://127.0.0.1:9090/
  npm run lab -- conformance http://127.0.0.1:8080/live/demo.m3u8
      hold an HLS or LL-HLS stream to the rules of the specification
  npm run lab -- report lab/runs/smoke-20260301-120000
      judge a run folder again and write its report
  npm run lab -- publish --url rtmp://media.example.com/live/test-{n} --streams 20 --duration 10m
      the bundled clip as twenty streams, each picture with its capture time
  npm run lab -- replay lab/runs/smoke-20260301-120000
      play its recorded viewers again, to the exact stall

Exit codes:
  0 every mandatory criterion that was judged passed    1 a mandatory criterion failed
  2 bad usage, unreadable input                         3 INVALID: the generator could not be trusted, or broke
  4 inconclusive: too little data                       5 environment parity mismatch
  6 target unreachable or nothing on air                130 interrupted

Delays compare two clocks. From another machine, a target that does not tell its time (any but
Showfloor) leaves the delay criteria inconclusive: exit code 4.

lab/README.md says what each number means.`;

const program = new Command('showfloor-lab')
  .description('Virtual viewers, chatters and shoppers against a live platform; a verdict anyone can recompute.')
  .addHelpText('after', EPILOGUE)
  .addCommand(runCommand())
  .addCommand(reportCommand())
  .addCommand(replayCommand())
  .addCommand(conformanceCommand())
  .addCommand(calibrateCommand())
  .addCommand(parityCommand())
  .addCommand(monitorCommand())
  .addCommand(publishCommand())
  .exitOverride();
for (const command of program.commands) {
  // Commander repeats what it could not read, and a login may be in it.
  command.configureOutput({
    outputError: (text, write) => write(text.replace(/:\/\/(?!\[?user\]?:password@)[^\s/@']*@/g, '://…@')),
  });
  command.exitOverride();
}

process.on('uncaughtException', endByFault);

try {
  await program.parseAsync();
} catch (error) {
  if (!(error instanceof CommanderError)) endByFault(error);
  // Commander has said what is wrong; help and version come here with code 0.
  else process.exitCode = error.exitCode === 0 ? EXIT_CODES.passed : EXIT_CODES.usage;
}

/** Node would end with 1, which means "a criterion failed". The worker threads end with the process. */
function endByFault(error: unknown): never {
  console.error(`lab: a fault of the lab itself, no verdict: ${error instanceof Error ? error.stack : String(error)}`);
  process.exit(EXIT_CODES.invalid);
}

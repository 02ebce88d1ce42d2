import { spawn } from 'node:child_process';
import { createLogger, runService } from '@showfloor/service-kit';

/** A service that serves nobody but has a process of its own below it, which must not outlive it. */
await runService(async () => {
  const log = createLogger('stand-in', 'info');
  const grandchild = spawn('sleep', ['1000'], { stdio: 'ignore' });
  return {
    log,
    close: async () => {
      grandchild.kill();
    },
  };
});

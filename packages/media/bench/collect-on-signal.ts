/** Loaded into a server by `--import`: SIGUSR2 makes V8 collect everything that nobody holds, so that what is left is what is held. */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;
process.on('SIGUSR2', () => {
  collect(); // finalizers run after it, and let go of more
  setImmediate(collect);
});

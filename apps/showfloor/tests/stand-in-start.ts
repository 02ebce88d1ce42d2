import { parseArgs } from 'node:util';
import type { ServiceSpec } from '../src/services.ts';
import { runStart } from '../src/start.ts';

/** `start` with stand-ins for the servers: --service name=entry[,database], as often as needed. */
const { values } = parseArgs({
  options: { service: { type: 'string', multiple: true, default: [] }, verbose: { type: 'boolean', default: false } },
});
const services = values.service.map((text): ServiceSpec => {
  const [name = '', entry = '', kind] = text.split(/[=,]/);
  return { name, entry, usesDatabase: kind === 'database', ownsAccess: false };
});
process.exit(await runStart({ demo: false, watch: false, verbose: values.verbose }, { services }));

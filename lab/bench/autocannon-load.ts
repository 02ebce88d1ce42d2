/** autocannon in a process of its own: GETs of one URL as fast as it can. `node autocannon-load.ts URL CONNECTIONS SECONDS` */
import autocannon from 'autocannon';

const [url = '', connections, seconds] = process.argv.slice(2);
const before = process.cpuUsage();
const { requests, throughput, errors, duration } = await autocannon({
  url,
  connections: Number(connections),
  duration: Number(seconds),
});
const { user, system } = process.cpuUsage(before);
process.stdout.write(
  JSON.stringify({
    perSecond: requests.total / duration,
    mbitPerSecond: (throughput.total * 8) / 1e6 / duration,
    errors,
    cpuPercent: (user + system) / 10_000 / duration,
  }),
);

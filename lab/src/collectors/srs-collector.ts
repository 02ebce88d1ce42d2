/**
 * The HTTP API of SRS, or of a server that has it in the same shape (https://ossrs.io/lts/en-us/docs/v6/doc/http-api):
 * `/api/v1/summaries`, `/streams`, `/clients`.
 */
import { CollectError, type Collector, onlyFinite, type Reading } from './collector.ts';
import { getText } from './http-get.ts';

const KB_PER_MB = 1024;
const STREAMS_MAX = 100;
/** SRS itself tells no total: its rows are counted. More than these are counted by what the streams say. */
const CLIENT_ROWS_MAX = 1000;

type Row = Readonly<Record<string, unknown>>;

/** `url`: `http://host:1985`. One line for the server, one per stream with the label `stream`. */
export function srsCollector(source: string, url: URL): Collector {
  const ask = async (path: string, signal: AbortSignal): Promise<Row> => {
    const answer = parse(await getText(new URL(path, url), signal));
    if (answer.code !== 0 && answer.code !== undefined)
      throw new CollectError(`${path} answered ${JSON.stringify(answer.code)}`);
    return answer;
  };
  let tellsTotal = true; // then one row is enough: rows of a thousand viewers would be load
  return {
    collector: 'srs',
    source,
    secrets: [decodeURIComponent(url.password)],
    scrape: async (signal) => {
      const [summaries, streams, clients] = await Promise.all([
        ask('/api/v1/summaries', signal),
        ask(`/api/v1/streams?count=${STREAMS_MAX}`, signal),
        ask(`/api/v1/clients?count=${tellsTotal ? 1 : CLIENT_ROWS_MAX}`, signal),
      ]);
      if (!tellsTotal || numberOf(clients.total) !== undefined) return readSrs({ summaries, streams, clients });
      tellsTotal = false;
      return readSrs({ summaries, streams, clients: await ask(`/api/v1/clients?count=${CLIENT_ROWS_MAX}`, signal) });
    },
  };
}

/** Pure: the three answers as they came. */
export function readSrs(answers: { readonly summaries: Row; readonly streams: Row; readonly clients: Row }): Reading[] {
  const streams = rowsOf(answers.streams, 'streams');
  const clients = rowsOf(answers.clients, 'clients');
  const data = field(answers.summaries, 'data');
  const self = field(data, 'self');
  const published = streams.filter((stream) => field(stream, 'publish').active === true);
  const sum = (key: string): number => streams.reduce((total, stream) => total + (kbps(stream, key) ?? 0), 0);
  const counted =
    clients.length < CLIENT_ROWS_MAX
      ? clients.length
      : streams.reduce((all, one) => all + (numberOf(one.clients) ?? 0), 0);
  const count = numberOf(answers.clients.total) ?? counted;
  const server = {
    clients: count,
    viewers: count - published.length,
    streams: published.length,
    recv_kbps: sum('recv_30s'),
    send_kbps: sum('send_30s'),
    cpu_pct: times(numberOf(self.cpu_percent), 100), // SRS tells a share of one core
    mem_mb: times(numberOf(self.mem_kbyte), 1 / KB_PER_MB),
    connections: numberOf(field(data, 'system').conn_srs),
  };
  return [{ metrics: onlyFinite(server) }, ...streams.map(streamReading)];
}

function streamReading(stream: Row): Reading {
  return {
    labels: { stream: `${textOf(stream.app)}/${textOf(stream.name)}` },
    metrics: onlyFinite({
      publish_active: field(stream, 'publish').active === true ? 1 : 0,
      stream_recv_kbps: kbps(stream, 'recv_30s'),
      stream_send_kbps: kbps(stream, 'send_30s'),
      stream_clients: numberOf(stream.clients),
      stream_fps: numberOf(field(stream, 'video').fps),
    }),
  };
}

function parse(text: string): Row {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === 'object' && value !== null) return value as Row;
  } catch {
    // said below
  }
  throw new CollectError('its answer is no JSON object');
}

function rowsOf(answer: Row, key: string): Row[] {
  const rows = answer[key];
  if (!Array.isArray(rows)) throw new CollectError(`its answer has no ${key}`);
  return rows as Row[];
}

function field(row: Row, key: string): Row {
  const value = row[key];
  return typeof value === 'object' && value !== null ? (value as Row) : {};
}

function kbps(stream: Row, key: string): number | undefined {
  return numberOf(field(stream, 'kbps')[key]);
}

function numberOf(value: unknown): number | undefined {
  return typeof value === 'number' ? value : undefined;
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

function times(value: number | undefined, factor: number): number | undefined {
  return value === undefined ? undefined : value * factor;
}

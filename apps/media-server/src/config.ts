import { MERGE_SETTINGS, TOLD_ACTIONS, type ToldAction, TrustedProxies } from '@showfloor/media';
import {
  COMMON_VARIABLES,
  ConfigError,
  type ConfigOf,
  choiceVariable,
  flagVariable,
  integerVariable,
  OUTBOUND_VARIABLES,
  portVariable,
  readConfig,
  textVariable,
  urlVariable,
  type Variable,
} from '@showfloor/service-kit';

const MB = 1024 * 1024;

/** Names of hooks, with commas between them. */
function hooksVariable(fallback: string, doc: string): Variable<ReadonlySet<ToldAction>> {
  return {
    doc,
    fallback,
    parse: (text) => {
      const names = text.split(',').map((name) => name.trim());
      const wanted = TOLD_ACTIONS.filter((action) => names.includes(action));
      const isNone = text.trim() === 'none';
      if (!isNone && wanted.length !== names.length)
        throw new Error(`expected some of ${TOLD_ACTIONS.join(',')}, or none`);
      return new Set(wanted);
    },
  };
}

/** Addresses and CIDRs, with commas between them. */
function proxiesVariable(fallback: string, doc: string): Variable<TrustedProxies> {
  return { doc, fallback, parse: (text) => TrustedProxies.parse(text) };
}

/** Variables of media-server; `--help` prints them. */
export const VARIABLES = {
  ...COMMON_VARIABLES,
  ...OUTBOUND_VARIABLES,
  MEDIA_RTMP_PORT: portVariable(1935, 'RTMP ingest: rtmp://host/live, stream key {playbackId}?key={secret}'),
  MEDIA_RTMPS_PORT: integerVariable(0, 0, 65_535, 'RTMPS ingest; 0: off. Set together with the two files below'),
  MEDIA_TLS_CERT_FILE: textVariable('', 'PEM file for RTMPS: certificate and chain; a renewal is noticed by itself'),
  MEDIA_TLS_KEY_FILE: textVariable('', 'PEM file for RTMPS: private key without a passphrase'),
  MEDIA_HTTP_PORT: portVariable(8080, 'Video for viewers: /live/{playbackId}.flv and /live/{playbackId}.m3u8'),
  MEDIA_ADMIN_PORT: portVariable(1985, 'Metrics, health and the SRS-compatible API, loopback only'),
  MEDIA_SERVER_ID: textVariable('media-1', 'Name of this server in the SRS-compatible API'),
  COMMERCE_PORT: portVariable(3000, 'Where commerce-server listens on this machine'),
  REALTIME_PORT: portVariable(3001, 'Where realtime-server listens on this machine'),
  MEDIA_COMMERCE_URL: urlVariable('', ['http', 'https'], 'Base URL of commerce-server; empty: this machine'),
  MEDIA_REALTIME_URL: urlVariable('', ['http', 'https'], 'Base URL of realtime-server; empty: this machine'),
  MEDIA_PUBLISH_HOOK_URL: urlVariable('', ['http', 'https'], 'Who decides over publishers; empty: commerce-server'),
  MEDIA_NOTIFY: flagVariable(true, 'Tell commerce and realtime of stream events, and commerce a heartbeat'),
  MEDIA_HOOKS: hooksVariable(
    'on_unpublish,on_dvr',
    'Hooks told besides on_publish; on_play and on_stop make a request per viewer; none: no hook',
  ),
  MEDIA_GRACE_MS: integerVariable(120_000, 0, 3_600_000, 'How long a lost publisher may take to return, in ms'),
  MEDIA_CONNECTIONS_MAX: integerVariable(5_000, 1, 1_000_000, 'Publishers and viewers at once; more get 503'),
  MEDIA_STREAMS_MAX: integerVariable(200, 1, 10_000, 'Streams on air at once'),
  MEDIA_MERGE: choiceVariable('auto', MERGE_SETTINGS, 'How packets of HTTP-FLV share writes; auto: by measured load'),
  MEDIA_MERGE_CEILING_MS: integerVariable(100, 10, 1_000, 'Most delay that merging writes may add, in ms'),
  MEDIA_HLS_HELD_MAX: integerVariable(20_000, 1, 1_000_000, 'HLS requests that wait at once; more get 503'),
  MEDIA_TRUSTED_PROXIES: proxiesVariable('', 'Addresses or networks of proxies whose X-Forwarded-For is believed'),
  MEDIA_GOP_PACKETS_MAX: integerVariable(2_000, 1, 100_000, 'Packets of a GOP that joiners get at once'),
  MEDIA_GOP_BYTES_MAX: integerVariable(12 * MB, 65_536, 256 * MB, 'Bytes of a GOP that joiners get at once'),
  MEDIA_VIEWER_BACKLOG_BYTES_MAX: integerVariable(
    1.5 * MB,
    65_536,
    64 * MB,
    'Queue of one viewer before it skips ahead',
  ),
  MEDIA_VIEWER_BACKLOG_MS_MAX: integerVariable(5_000, 500, 60_000, 'The same bound in media time, in ms'),
  MEDIA_VIEWER_STUCK_MS_MAX: integerVariable(10_000, 500, 120_000, 'A viewer that skips for longer is cut, in ms'),
  MEDIA_RECORDING: flagVariable(true, 'Record shows to DATA_DIR/recordings, those that commerce wants recorded'),
  MEDIA_RECORDING_BYTES_MAX: integerVariable(
    32_768 * MB,
    MB,
    MB ** 2,
    'Bytes of one show on disk; its recording ends there',
  ),
  MEDIA_RECORDING_QUEUE_BYTES_MAX: integerVariable(
    16 * MB,
    65_536,
    256 * MB,
    'Media of one show that waits for the disk; over it its recording ends',
  ),
  MEDIA_RECORDING_TOTAL_QUEUE_BYTES_MAX: integerVariable(
    256 * MB,
    65_536,
    4_096 * MB,
    'The same of all shows together; the recording that would go over it ends',
  ),
  MEDIA_RECORDING_FREE_PERCENT_MIN: integerVariable(
    5,
    0,
    90,
    'Recordings end when less of the disk is free, in percent',
  ),
  MEDIA_HLS: flagVariable(true, 'HLS and LL-HLS: /live/{playbackId}.m3u8'),
  // Parity with SRS: hls_fragment 1, hls_window 4.
  MEDIA_HLS_SEGMENT_MS: integerVariable(1_000, 500, 10_000, 'A segment ends at the first keyframe after this, in ms'),
  MEDIA_HLS_WINDOW_SEGMENTS: integerVariable(8, 4, 60, 'Segments in the playlist; as many again are kept behind it'),
  MEDIA_HLS_PART_MS: integerVariable(200, 100, 1_000, 'What a part should last, in ms: the nearest number of frames'),
  MEDIA_HLS_BYTES_MAX: integerVariable(48 * MB, MB, 1024 * MB, 'HLS of one stream in memory; over it the oldest goes'),
  MEDIA_HLS_BYTES_TOTAL_MAX: integerVariable(
    1024 * MB,
    MB,
    64 * 1024 * MB,
    'HLS of all streams in memory; over it ended ones go, then each keeps to an equal share',
  ),
  MEDIA_HLS_LINGER_MS: integerVariable(30_000, 0, 600_000, 'How long HLS of an ended stream can be fetched, in ms'),
  MEDIA_HANDSHAKE_TIMEOUT_MS: integerVariable(10_000, 100, 60_000, 'RTMP handshake, in ms'),
  MEDIA_FIRST_PACKET_TIMEOUT_MS: integerVariable(10_000, 100, 60_000, 'First media after an accepted publish, in ms'),
  MEDIA_SILENCE_TIMEOUT_MS: integerVariable(30_000, 500, 600_000, 'Longest silence of a publisher, in ms'),
} as const;

export type Config = ConfigOf<typeof VARIABLES>;

/** Reads the environment once. Throws `ConfigError` with every problem listed. */
export function loadConfig(): Config {
  const config = readConfig(VARIABLES, process.env, ['MEDIA_', 'OUTBOUND_']);
  const rtmps = [
    ['MEDIA_RTMPS_PORT', config.MEDIA_RTMPS_PORT !== 0],
    ['MEDIA_TLS_CERT_FILE', config.MEDIA_TLS_CERT_FILE !== ''],
    ['MEDIA_TLS_KEY_FILE', config.MEDIA_TLS_KEY_FILE !== ''],
  ] as const;
  const missing = rtmps.filter(([, isSet]) => !isSet).map(([name]) => name);
  if (missing.length === 1 || missing.length === 2) {
    throw new ConfigError([`RTMPS needs ${rtmps.map(([name]) => name).join(', ')}: not set: ${missing.join(', ')}`]);
  }
  return config;
}

/** Where and what to publish. `streamName` carries the key, often in its query: a secret, never logged. */
export type RtmpPublishTarget = Readonly<{
  /** Without the brackets of an IPv6 address. */
  host: string;
  port: number;
  isTls: boolean;
  app: string;
  tcUrl: string;
  streamName: string;
}>;

const RTMP_PORT = 1935;
const RTMPS_PORT = 443;

/**
 * Splits `rtmp(s)://host[:port]/app/stream?query` as ffmpeg and OBS do: the stream name is what follows the last slash of the
 * path, with the query; everything before it is the app. Throws a TypeError that does not repeat the URL, because it holds the key.
 */
export function parsePublishUrl(url: string): RtmpPublishTarget {
  const match = /^(rtmps?):\/\/(\[[^\]]+\]|[^/:?#@]+)(?::(\d{1,5}))?\/([^?]+)\/([^/?]+(?:\?.*)?)$/i.exec(url);
  const [, scheme = '', hostPart, portPart, appPart = '', streamName] = match ?? [];
  const app = appPart.replace(/\/+$/, '');
  if (hostPart === undefined || app === '' || streamName === undefined) {
    throw new TypeError('expected rtmp://host[:port]/app/stream[?key=…], or the same with rtmps');
  }
  const isTls = scheme.toLowerCase() === 'rtmps';
  const port = portPart === undefined ? (isTls ? RTMPS_PORT : RTMP_PORT) : Number(portPart);
  if (port < 1 || port > 65_535) throw new TypeError('the RTMP port is not between 1 and 65535');
  const host = hostPart.replace(/^\[|\]$/g, '');
  return { host, port, isTls, app, tcUrl: `${scheme.toLowerCase()}://${hostPart}:${port}/${app}`, streamName };
}

/**
 * Adds a stream key to a publish URL: `…/live/{name}?key={secret}`. A key as studios show it (`{name}?key={secret}`) follows the path
 * instead; an empty one changes nothing. Throws a TypeError that repeats neither.
 */
export function withStreamKey(url: string, key: string): string {
  let complete = url;
  if (key.includes('?key=')) complete = `${url.replace(/\/$/, '')}/${key}`;
  else if (key !== '') complete = `${url}${url.includes('?') ? '&' : '?'}key=${encodeURIComponent(key)}`;
  parsePublishUrl(complete);
  return complete;
}

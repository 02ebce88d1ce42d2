/** Where and what to publish. `streamName` carries the key in its query: a secret, never logged. */
export type RtmpPublishTarget = Readonly<{
  host: string;
  port: number;
  app: string;
  tcUrl: string;
  streamName: string;
}>;

const RTMP_PORT = 1935;

/**
 * Splits `rtmp://host[:port]/app/stream?query` the way ffmpeg and OBS do: the first path segment is the app, the rest with
 * its query the stream name. Throws a TypeError that does not repeat the URL, because it holds the key.
 */
export function parsePublishUrl(url: string): RtmpPublishTarget {
  const match = /^rtmp:\/\/(\[[^\]]+\]|[^/:?#]+)(?::(\d{1,5}))?\/([^/?]+)\/(.+)$/.exec(url);
  const [, hostPart, portPart, app, streamName] = match ?? [];
  if (hostPart === undefined || app === undefined || streamName === undefined) {
    throw new TypeError('expected rtmp://host[:port]/app/stream[?key=…]');
  }
  const port = portPart === undefined ? RTMP_PORT : Number(portPart);
  if (port < 1 || port > 65_535) throw new TypeError('the RTMP port is not between 1 and 65535');
  const host = hostPart.replace(/^\[|\]$/g, '');
  return { host, port, app, tcUrl: `rtmp://${hostPart}:${port}/${app}`, streamName };
}

/** Where browsers reach the planes. Empty: the host of the request, and the plane's port. */
export type PublicUrlOptions = {
  readonly origin: string;
  readonly videoUrl: string;
  readonly realtimeUrl: string;
  readonly rtmpUrl: string;
  readonly realtimePort: number;
  readonly videoPort: number;
  readonly rtmpPort: number;
};
export type PublicUrls = {
  readonly commerce: string;
  readonly video: string;
  readonly realtime: string;
  readonly rtmp: string;
};

const HOST_HEADER = /^(?<name>[\w.-]+|\[[\da-fA-F:.]+\])(?::\d{1,5})?$/;

/** URLs for a request that came to `host` (a Host header, as it arrived) by `protocol`. */
export function publicUrls(options: PublicUrlOptions, protocol: string, host: string | undefined): PublicUrls {
  const name = HOST_HEADER.exec(host ?? '')?.groups?.name;
  const safeHost = name === undefined ? '127.0.0.1' : (host ?? '');
  const at = (port: number): string => `${protocol}://${name ?? '127.0.0.1'}:${port}`;
  return {
    commerce: options.origin || `${protocol}://${safeHost}`,
    video: options.videoUrl || at(options.videoPort),
    realtime: options.realtimeUrl || at(options.realtimePort),
    rtmp: options.rtmpUrl || `rtmp://${name ?? '127.0.0.1'}:${options.rtmpPort}/live`,
  };
}

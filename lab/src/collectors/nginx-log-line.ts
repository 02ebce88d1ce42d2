/**
 * One line of an nginx access log with timing fields, as strategy 3.3 has them:
 *
 *     log_format showfloor '$remote_addr - $remote_user [$time_local] "$request" $status $body_bytes_sent '
 *                          '"$http_referer" "$http_user_agent" '
 *                          'rt=$request_time uct="$upstream_connect_time" uht="$upstream_header_time" '
 *                          'urt="$upstream_response_time"';
 *
 * Anything may stand between and after: the request, the status after it, and the four fields by their names are what counts.
 */

/** Times in ms; null where nothing was asked upstream, or the log has no such field. */
export type AccessLine = {
  readonly status: number;
  readonly requestMs: number | null;
  readonly connectMs: number | null;
  readonly headerMs: number | null;
  readonly responseMs: number | null;
};

// nginx writes a quote inside a field as \x22, so a quoted field ends at the first quote.
const STATUS = /"[^"]*" (\d{3}) /;

/** Null: a line in another format. */
export function parseAccessLine(line: string): AccessLine | null {
  const status = STATUS.exec(line)?.[1];
  if (status === undefined) return null;
  const tail = line.slice(Math.max(0, line.lastIndexOf(' rt=')));
  return {
    status: Number(status),
    requestMs: lastSeconds(/\brt="?([\d.]+)/.exec(tail)?.[1]),
    connectMs: lastSeconds(/\buct="?([^"]*)/.exec(tail)?.[1]),
    headerMs: lastSeconds(/\buht="?([^"]*)/.exec(tail)?.[1]),
    responseMs: lastSeconds(/\burt="?([^"]*)/.exec(tail)?.[1]),
  };
}

/**
 * Several servers asked one after the other stand as `0.002, 0.020`, internal redirects as `0.1 : 0.2`, none as `-`. The last
 * one gave the answer.
 */
function lastSeconds(text: string | undefined): number | null {
  const last = (text ?? '').split(/[,:]/).at(-1)?.trim() ?? '';
  return /^\d+(\.\d+)?$/.test(last) ? Number(last) * 1000 : null;
}

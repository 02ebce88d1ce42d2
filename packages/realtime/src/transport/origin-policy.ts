import type { IncomingHttpHeaders } from 'node:http';

/**
 * Whether a browser page may talk to this plane (bar S7, I-50). With a list: exactly these origins. Without one: any origin on
 * the host name the request was sent to (the web app on another port of the same machine). A request without `Origin` does
 * not come from a page; what it may do is decided by its token.
 */
export function originAllowed(headers: IncomingHttpHeaders, allowedOrigins: readonly string[]): boolean {
  const { origin, host } = headers;
  if (origin === undefined) return true;
  if (allowedOrigins.length > 0) return allowedOrigins.includes(origin);
  const originName = hostName(origin);
  return originName !== null && originName === hostName(`http://${host ?? ''}`);
}

function hostName(url: string): string | null {
  return URL.canParse(url) ? new URL(url).hostname : null;
}

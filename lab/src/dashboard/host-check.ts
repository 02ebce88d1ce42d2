/**
 * Which `Host` a request may name. A page of somebody else can let its own name point at this machine (DNS rebinding) and
 * then read what is here; it cannot make the browser name us. An address is always fine: rebinding needs a name.
 */
import { isIP } from 'node:net';
import { hostname } from 'node:os';

const OWN_NAMES = ['localhost', hostname().toLowerCase()];
const NAME = /^(?:\[(?<six>[0-9a-f:.]+)\]|(?<plain>[a-z0-9.-]+))(?::\d{1,5})?$/;

/** `listensOn`: the name or address that the user told the dashboard to listen on, which is fine as well. */
export function isHostAllowed(header: string | undefined, listensOn: string): boolean {
  const { six, plain } = NAME.exec(header?.toLowerCase() ?? '')?.groups ?? {};
  if (six !== undefined) return isIP(six) === 6;
  if (plain === undefined) return false;
  return isIP(plain) === 4 || OWN_NAMES.includes(plain) || plain === listensOn.toLowerCase();
}

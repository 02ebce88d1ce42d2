/** Several streams at addresses that differ by a number. */

/** Takes the place of the number in an address: `rtmp://host/live/show-{n}`. */
const PLACE = '{n}';

/** The address of stream `number` (from 1) of `count`: one stream keeps the address, several get a number at the end of their name. */
export function numberedUrl(url: string, number: number, count: number): string {
  if (url.includes(PLACE)) return url.replaceAll(PLACE, String(number));
  if (count === 1) return url;
  const [path = '', ...query] = url.split('?');
  const [, stem, ending] = /^(.*?)(\.\w{2,4})?$/.exec(path) ?? [];
  return [`${stem ?? path}-${number}${ending ?? ''}`, ...query].join('?');
}

import { styleText } from 'node:util';
import type { StartConfig } from './config.ts';
import { DEMO_PLAYBACK_ID, localHost } from './services.ts';

/** What the block tells. */
export type Status = {
  readonly config: StartConfig;
  /** One-time link's token: the demo's seller, or the owner of a shop without a demo. */
  readonly signInToken: string;
  readonly hasDemo: boolean;
  readonly isDemoOnAir: boolean;
  readonly readyMs: number;
};

/** The URLs of a running system, as this machine reaches it. */
export function systemUrls(config: StartConfig): Readonly<{ shop: string; rtmp: string; video: string }> {
  const host = localHost(config.HOST);
  return {
    shop:
      config.COMMERCE_PUBLIC_ORIGIN === '' ? `http://${host}:${config.COMMERCE_PORT}` : config.COMMERCE_PUBLIC_ORIGIN,
    rtmp: `rtmp://${host}:${config.MEDIA_RTMP_PORT}/live`,
    video: `http://${host}:${config.MEDIA_HTTP_PORT}`,
  };
}

/** The one thing a person reads after the start. Lines without the last line end. */
export function formatStatusBlock(status: Status, colour: boolean): string {
  const { config, signInToken, hasDemo } = status;
  const urls = systemUrls(config);
  const rows: [string, string, string?][] = [];
  if (hasDemo) {
    rows.push([
      'Watch',
      `${urls.shop}/live/${DEMO_PLAYBACK_ID}`,
      status.isDemoOnAir ? 'the demo show' : 'not on air yet',
    ]);
  }
  rows.push(['Shop', `${urls.shop}/`]);
  rows.push(['Sell', `${urls.shop}/signin?token=${signInToken}`, 'works once']);
  rows.push(['OBS', urls.rtmp, 'key: in the studio, behind Sell']);
  if (hasDemo) {
    rows.push(
      ['FLV', `${urls.video}/live/${DEMO_PLAYBACK_ID}.flv`],
      ['HLS', `${urls.video}/live/${DEMO_PLAYBACK_ID}.m3u8`],
    );
  }
  rows.push(['Data', config.DATA_DIR, 'logs in logs/'], ['Stop', 'Ctrl-C']);
  const paint = (style: Parameters<typeof styleText>[0], text: string): string =>
    colour ? styleText(style, text, { validateStream: false }) : text;
  const lines = rows.map(([label, value, note]) => {
    const shown = /^(https?|rtmp):/.test(value) ? paint('cyan', value) : value;
    return `  ${paint('bold', label.padEnd(6))} ${shown}${note === undefined ? '' : paint('gray', `   ${note}`)}`;
  });
  const title = `${paint(['bold', 'green'], 'Showfloor is ready')} ${paint('gray', `after ${(status.readyMs / 1000).toFixed(1)} s`)}`;
  return ['', `  ${title}`, '', ...lines, ''].join('\n');
}

/** The page: one document with its style and script inside, allowed to load nothing else. */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { escapeText } from '../report/chart.ts';

/** In the order in which they build on each other. */
const SCRIPTS = ['elements.js', 'trend-chart.js', 'fault-timeline.js', 'dashboard.js'] as const;

/** The document, and the policy that lets exactly its own style and script work. */
export type RenderedPage = { readonly html: Buffer; readonly contentSecurityPolicy: string };

/** Same title, same bytes. */
export function renderPage(title: string): RenderedPage {
  const style = read('dashboard.css');
  const script = SCRIPTS.map((name) => withoutModules(read(name))).join('\n');
  const html = read('dashboard.html')
    .replaceAll('{title}', () => escapeText(title))
    .replace('/* style */', () => style)
    .replace('/* script */', () => script);
  const policy = [
    "default-src 'none'",
    `script-src '${hash(script)}'`,
    `style-src '${hash(style)}'`,
    "connect-src 'self'",
    'img-src data:',
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
    "require-trusted-types-for 'script'",
    "trusted-types 'none'",
  ];
  return { html: Buffer.from(html), contentSecurityPolicy: policy.join('; ') };
}

/** The files are modules, so that linters and people read them alone; in the page they are one script. */
function withoutModules(text: string): string {
  return text.replaceAll(/^import [^;]+;\n/gm, '').replaceAll(/^export /gm, '');
}

function read(name: string): string {
  return readFileSync(new URL(`./page/${name}`, import.meta.url), 'utf8');
}

function hash(text: string): string {
  return `sha256-${createHash('sha256').update(text).digest('base64')}`;
}

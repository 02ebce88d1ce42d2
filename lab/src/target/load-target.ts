import { readdir } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { type TargetAdapter, type TargetDescription, TargetUnreachableError } from './target.ts';

const TARGETS = new URL('../../targets/', import.meta.url);
/** Asked last: it takes any URL with a path. */
const FALLBACK_KIND = 'url';

/** A target that answered, its adapter, and the module that worker threads load the adapter from. */
export type FoundTarget = {
  readonly description: TargetDescription;
  readonly adapter: TargetAdapter;
  readonly adapterUrl: string;
};

/** Names of the adapters in `lab/targets`, the fallback last. */
export async function listTargetKinds(): Promise<string[]> {
  const files = await readdir(fileURLToPath(TARGETS));
  const kinds = files.filter((file) => /^[a-z0-9-]+\.ts$/.test(file)).map((file) => file.slice(0, -3));
  return [...kinds.filter((kind) => kind !== FALLBACK_KIND).sort(), FALLBACK_KIND];
}

/** Asks every adapter (or the named one) about the URL. Throws TargetUnreachableError when none takes it. */
export async function findTarget(url: URL, kind?: string): Promise<FoundTarget> {
  // A path names one resource, not a platform: only the fallback can take it.
  const kinds = kind === undefined ? (url.pathname === '/' ? await listTargetKinds() : [FALLBACK_KIND]) : [kind];
  for (const name of kinds) {
    const { adapter, adapterUrl } = await loadAdapter(name);
    const description = await adapter.detect(url);
    if (description !== null) return { description, adapter, adapterUrl };
  }
  throw new TargetUnreachableError(
    `${url.origin}${url.pathname} answers, but is none of: ${kinds.join(', ')}. Name the full URL of a stream (.flv or .m3u8) to test any other server`,
  );
}

/** An adapter by its name; there must be one. */
export async function findAdapter(kind: string): Promise<TargetAdapter> {
  return (await loadAdapter(kind)).adapter;
}

async function loadAdapter(kind: string): Promise<Pick<FoundTarget, 'adapter' | 'adapterUrl'>> {
  const adapterUrl = new URL(`${kind}.ts`, TARGETS).href;
  const { target: adapter } = (await import(adapterUrl)) as { target: TargetAdapter };
  return { adapter, adapterUrl };
}

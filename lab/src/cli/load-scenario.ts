/** Scenario files: by name from `lab/scenarios`, or by path. */
import { existsSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import type { Scenario } from '../engine/scenario.ts';
import { configured, type ScenarioModule, type ScenarioParameters } from './scenario-parameters.ts';

const SCENARIOS = fileURLToPath(new URL('../../scenarios', import.meta.url));

/** Null when there is no such file, or it is no scenario. Throws {@link ScenarioError}. */
export async function loadScenario(name: string, parameters: ScenarioParameters = {}): Promise<Scenario | null> {
  const path = /\.[cm]?[jt]s$/.test(name) ? resolve(name) : resolve(SCENARIOS, `${name}.ts`);
  if (!existsSync(path)) return null;
  let module: ScenarioModule;
  try {
    module = (await import(pathToFileURL(path).href)) as ScenarioModule;
  } catch (error) {
    throw new ScenarioError(`${path} cannot be loaded: ${error instanceof Error ? error.message : 'unknown'}`);
  }
  if (module.scenario === undefined) return null;
  const made = configured(module, parameters);
  if ('unknown' in made) {
    const choice = made.known.length === 0 ? 'nothing can be set' : `what can be set: ${made.known.join(', ')}`;
    throw new ScenarioError(`${name} knows no ${made.unknown.join(', ')}; ${choice}`);
  }
  const { scenario } = made;
  const missing = SCENARIO_FIELDS.filter((field) => scenario?.[field] === undefined);
  if (missing.length === 0) return scenario as Scenario;
  throw new ScenarioError(`${path} is no scenario: it has no ${missing.join(', ')}`);
}

const SCENARIO_FIELDS = ['name', 'purpose', 'durationMs', 'viewers', 'groups', 'criteria'] as const;

/** A scenario file that cannot be used. */
export class ScenarioError extends Error {
  override readonly name = 'ScenarioError';
}

/** Names of those in `lab/scenarios`. */
export async function listScenarios(): Promise<string[]> {
  const files = (await readdir(SCENARIOS))
    .filter((file) => /^[a-z0-9-]+\.ts$/.test(file))
    .map((file) => file.slice(0, -3));
  const found = await Promise.all(files.map(async (name) => ((await loadScenario(name)) === null ? [] : [name])));
  return found.flat().sort();
}

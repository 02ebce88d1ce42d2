/** `--set NAME=VALUE`: numbers that a scenario file lets its user choose. */
import { InvalidArgumentError } from 'commander';
import type { Scenario } from '../engine/scenario.ts';

/** Numbers by name. */
export type ScenarioParameters = Readonly<Record<string, number>>;

/** What a scenario file exports: a scenario, and for one that can be set also how it is made. */
export type ScenarioModule = {
  readonly scenario?: Partial<Scenario>;
  readonly parameters?: ScenarioParameters;
  readonly configure?: (parameters: ScenarioParameters) => Scenario;
};

/** Adds one `NAME=VALUE`. */
export function addParameter(text: string, known: ScenarioParameters = {}): ScenarioParameters {
  const [, name, digits] = /^([\w-]+)=(\d+(?:\.\d+)?)$/.exec(text) ?? [];
  if (name === undefined) throw new InvalidArgumentError('It must be a name and a number, e.g. llhls-share=0.2.');
  return { ...known, [name]: Number(digits) };
}

/** The scenario with these numbers, or the names that it does not know. */
export function configured(
  module: ScenarioModule,
  wanted: ScenarioParameters,
): { readonly scenario: Partial<Scenario> | undefined } | { readonly unknown: string[]; readonly known: string[] } {
  if (Object.keys(wanted).length === 0) return { scenario: module.scenario };
  const known = module.configure === undefined ? [] : Object.keys(module.parameters ?? {});
  const unknown = Object.keys(wanted).filter((name) => !known.includes(name));
  if (unknown.length > 0 || module.configure === undefined) return { unknown, known };
  return { scenario: module.configure({ ...module.parameters, ...wanted }) };
}

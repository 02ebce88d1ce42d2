import * as protocol from '@showfloor/protocol';
import { type TSchema, Type } from 'typebox';

type Named = { readonly $id: string };

/** Every schema of `protocol` that has a name, with references in place of the named schemas inside it. */
export function componentSchemas(): Record<string, unknown>[] {
  return Object.values(protocol as Record<string, unknown>)
    .filter(isNamed)
    .map(({ $id, ...rest }) => ({ $id, ...(withReferences(rest) as Record<string, unknown>) }));
}

function withReferences(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withReferences);
  if (typeof value !== 'object' || value === null) return value;
  if (isNamed(value)) return { $ref: `${value.$id}#` };
  return Object.fromEntries(Object.entries(value).map(([name, field]) => [name, withReferences(field)]));
}

function isNamed(value: unknown): value is Named {
  return typeof value === 'object' && value !== null && typeof (value as Named).$id === 'string';
}

/** A reference to a named schema, typed as the schema itself. */
export function ref<T extends TSchema>(schema: T): T {
  if (!isNamed(schema)) throw new TypeError('only a schema with an $id can be referred to');
  return { $ref: `${schema.$id}#` } as unknown as T;
}

const problem = {
  description: 'Problem document (RFC 9457); `reason` is stable.',
  content: { 'application/problem+json': { schema: ref(protocol.Problem) } },
};
/** For the `response` of every route. */
export const PROBLEMS = { '4xx': problem, '5xx': problem } as const;

/** For the `headers` of writes that create something. */
export const IdempotencyHeaders = Type.Object({
  'idempotency-key': Type.Optional(
    Type.String({ minLength: 8, maxLength: 128, description: 'Repeat a request with the same key: it counts once.' }),
  ),
});
export const SIGNED_IN = [{ accessToken: [] }];

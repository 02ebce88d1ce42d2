import { describe, expect, test } from 'vitest';
import { ApiProblem, request } from './http.ts';

type Answer = { status: number; body?: string; headers?: Record<string, string> };

async function problemFrom(answer: Answer | Error): Promise<ApiProblem> {
  const fetcher = async (): Promise<Response> => {
    if (answer instanceof Error) throw answer;
    return new Response(answer.body ?? null, { status: answer.status, headers: answer.headers ?? {} });
  };
  try {
    await request('/api/x', {}, fetcher as typeof fetch);
  } catch (error) {
    if (error instanceof ApiProblem) return error;
    throw error;
  }
  throw new Error('no problem was thrown');
}

describe('commerce API client', () => {
  test('a problem document keeps its reason, its sentence and its figures', async () => {
    const body = JSON.stringify({
      type: '/problems/insufficient_stock',
      title: 'Not enough',
      status: 409,
      detail: 'Only 2 are left.',
      reason: 'insufficient_stock',
      availableUnits: 2,
    });
    const problem = await problemFrom({ status: 409, body, headers: { 'content-type': 'application/problem+json' } });
    expect(problem).toMatchObject({ status: 409, reason: 'insufficient_stock', availableUnits: 2, isOutage: false });
    expect(problem.message).toBe('Only 2 are left.');
  });

  test('Retry-After of a 503 is kept in milliseconds', async () => {
    const problem = await problemFrom({ status: 503, body: '<h1>no</h1>', headers: { 'retry-after': '3' } });
    expect(problem).toMatchObject({ status: 503, reason: 'unavailable', retryAfterMs: 3_000, isOutage: true });
  });

  test('no answer at all is an outage', async () => {
    expect(await problemFrom(new TypeError('fetch failed'))).toMatchObject({
      status: 0,
      reason: 'unavailable',
      isOutage: true,
    });
  });

  test('a success with half a body is an outage, not a value', async () => {
    expect(await problemFrom({ status: 200, body: '{"lines":[' })).toMatchObject({ status: 0, isOutage: true });
  });

  test('a page of a proxy is translated by its status', async () => {
    expect(await problemFrom({ status: 404, body: 'nope' })).toMatchObject({ reason: 'unavailable', isOutage: true });
    expect((await problemFrom({ status: 403, body: 'nope' })).reason).toBe('forbidden');
    expect((await problemFrom({ status: 502, body: 'bad gateway' })).reason).toBe('unavailable');
  });

  test('token, idempotency key and body travel in their headers', async () => {
    const seen: { path: string; init: RequestInit }[] = [];
    const fetcher = async (path: string, init: RequestInit): Promise<Response> => {
      seen.push({ path, init });
      return new Response(null, { status: 204 });
    };
    const options = { method: 'POST', body: { a: 1 }, accessToken: 'token', idempotencyKey: 'key-1' } as const;
    await request('/api/checkout', options, fetcher as typeof fetch);
    expect(seen[0]?.path).toBe('/api/checkout');
    expect(seen[0]?.init).toMatchObject({
      method: 'POST',
      body: '{"a":1}',
      credentials: 'same-origin',
      headers: { authorization: 'Bearer token', 'idempotency-key': 'key-1', 'content-type': 'application/json' },
    });
  });

  test('an aborted request is the abort, not an outage', async () => {
    const controller = new AbortController();
    controller.abort(new DOMException('left the page', 'AbortError'));
    const fetcher = async (_path: string, init: RequestInit): Promise<Response> => {
      init.signal?.throwIfAborted();
      return new Response('{}');
    };
    await expect(request('/api/x', { signal: controller.signal }, fetcher as typeof fetch)).rejects.toThrow(
      'left the page',
    );
  });
});

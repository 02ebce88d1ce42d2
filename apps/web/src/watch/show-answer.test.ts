import { expect, test } from 'vitest';
import { ApiProblem, request } from '../api/http.ts';
import { showAnswer } from './show-answer.ts';

async function thrownBy(body: string, type: string, status = 404): Promise<unknown> {
  const fetcher = async (): Promise<Response> => new Response(body, { status, headers: { 'content-type': type } });
  return await request('/api/shows/demo', {}, fetcher as typeof fetch).then(
    () => null,
    (error: unknown) => error,
  );
}

const notFound = JSON.stringify({ type: 'about:blank', title: 'No', status: 404, detail: 'No.', reason: 'not_found' });

test('a show is missing only when the shop itself says so before anything was loaded', async () => {
  const said = await thrownBy(notFound, 'application/problem+json');
  expect(showAnswer(said, false)).toEqual({ isMissing: true, isDown: false });
  expect(showAnswer(said, true)).toEqual({ isMissing: false, isDown: true });
});

test('a bare 404 of a proxy is a shop that is away, so reading goes on', async () => {
  for (const body of ['', '<h1>404 Not Found</h1>', '{"message":"no Route matched"}']) {
    const error = await thrownBy(body, 'text/html');
    expect(error).toMatchObject({ status: 404, reason: 'unavailable', isOutage: true });
    for (const isLoaded of [true, false])
      expect(showAnswer(error, isLoaded)).toEqual({ isMissing: false, isDown: true });
  }
});

test('an outage is no missing show, and no error is neither', () => {
  const outage = new ApiProblem({ status: 503, reason: 'unavailable', detail: 'No.' });
  expect(showAnswer(outage, false)).toEqual({ isMissing: false, isDown: true });
  expect(showAnswer(null, true)).toEqual({ isMissing: false, isDown: false });
});

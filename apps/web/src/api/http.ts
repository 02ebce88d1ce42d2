import type { Problem, Reason } from '@showfloor/protocol';

/** A refusal or failure of the commerce API, as a thrown value for queries and mutations. */
export class ApiProblem extends Error {
  /** HTTP status; 0 when no answer came. */
  readonly status: number;
  /** Stable code; switch on this. */
  readonly reason: Reason;
  readonly availableUnits: number | null;
  /** How long the server asks to wait; null when it did not say. */
  readonly retryAfterMs: number | null;

  constructor(problem: Pick<Problem, 'status' | 'reason' | 'detail'> & Partial<Problem>) {
    super(problem.detail);
    this.name = 'ApiProblem';
    this.status = problem.status;
    this.reason = problem.reason;
    this.availableUnits = problem.availableUnits ?? null;
    this.retryAfterMs = problem.retryAfterMs ?? null;
  }

  /** The shop is away or overloaded: asking again later may work. */
  get isOutage(): boolean {
    return this.reason === 'unavailable' || this.status === 0 || this.status === 429 || this.status >= 500;
  }
}

export type ApiRequest = {
  readonly method?: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  readonly body?: unknown;
  readonly accessToken?: string | null;
  readonly idempotencyKey?: string;
  readonly signal?: AbortSignal;
};

/** No answer within this time counts as none. */
export const API_TIMEOUT_MS = 10_000;

/**
 * Asks the commerce API on the page's own origin. Returns the decoded body (undefined for 204); throws ApiProblem for
 * everything that is no success, an unreachable server included.
 */
export async function request<T>(path: string, options: ApiRequest = {}, fetcher = fetch): Promise<T> {
  const response = await send(path, options, fetcher);
  if (!response.ok) throw await problemOf(response);
  if (response.status === 204) return undefined as T;
  try {
    return (await response.json()) as T;
  } catch {
    throw unreachable('The answer was cut short.');
  }
}

async function send(path: string, options: ApiRequest, fetcher: typeof fetch): Promise<Response> {
  const headers: Record<string, string> = { accept: 'application/json' };
  if (options.body !== undefined) headers['content-type'] = 'application/json';
  if (options.accessToken) headers.authorization = `Bearer ${options.accessToken}`;
  if (options.idempotencyKey !== undefined) headers['idempotency-key'] = options.idempotencyKey;
  const timeout = AbortSignal.timeout(API_TIMEOUT_MS);
  try {
    return await fetcher(path, {
      method: options.method ?? 'GET',
      headers,
      credentials: 'same-origin',
      ...(options.body === undefined ? {} : { body: JSON.stringify(options.body) }),
      signal: options.signal === undefined ? timeout : AbortSignal.any([options.signal, timeout]),
    });
  } catch (error) {
    if (options.signal?.aborted) throw error;
    throw unreachable('The shop cannot be reached.');
  }
}

/** A problem document when the server sent one; otherwise one made from status and Retry-After (a proxy's page). */
async function problemOf(response: Response): Promise<ApiProblem> {
  const retryAfterMs = retryAfterOf(response.headers.get('retry-after'));
  const extra = retryAfterMs === null ? {} : { retryAfterMs };
  const body: unknown = await response.json().catch(() => null);
  if (isProblem(body)) return new ApiProblem({ ...extra, ...body, status: response.status });
  const reason = REASON_OF_STATUS[response.status] ?? (response.status >= 500 ? 'unavailable' : 'bad_request');
  return new ApiProblem({ ...extra, status: response.status, reason, detail: `The shop answered ${response.status}.` });
}

const REASON_OF_STATUS: Readonly<Record<number, Reason>> = {
  401: 'unauthenticated',
  403: 'forbidden',
  404: 'unavailable', // our shop says what it did not find: this is a proxy that has lost the shop
  409: 'conflict',
  429: 'rate_limited',
};

function isProblem(value: unknown): value is Problem {
  return typeof value === 'object' && value !== null && 'reason' in value && typeof value.reason === 'string';
}

function retryAfterOf(header: string | null): number | null {
  if (header === null || !/^\d+$/.test(header)) return null;
  return Number(header) * 1_000;
}

function unreachable(detail: string): ApiProblem {
  return new ApiProblem({ status: 0, reason: 'unavailable', detail });
}

/** Any thrown value as an ApiProblem, so that views have one kind of failure to show. */
export function asProblem(error: unknown): ApiProblem {
  return error instanceof ApiProblem ? error : new ApiProblem({ status: 0, reason: 'internal', detail: String(error) });
}

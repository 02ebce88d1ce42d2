/** Sends the steps of a shop's dialect, measures them from their intended start and sorts their outcomes. */
import { Agent as HttpAgent, type IncomingMessage, request as requestHttp } from 'node:http';
import { Agent as HttpsAgent, request as requestHttps } from 'node:https';
import { monotonicMs } from '../clock.ts';
import type { Recorder } from '../metrics/recorder.ts';
import type { ApiAnswer, ApiResult, ApiStep } from '../target/target.ts';
import { errorCode } from './endless-get.ts';

/** No answer within this counts as an error of class `timeout`. */
export const API_TIMEOUT_MS = 10_000;
/** A longer answer is an error of class `too_large`. */
export const API_ANSWER_BYTES_MAX = 4 * 1024 * 1024;

/** Error classes beside `http_5xx` and `http_4xx`. */
type Failure = { readonly errorClass: string };

/** One per actor: each has its own connection, like each shopper has. */
export class ApiClient {
  readonly #baseUrl: URL;
  readonly #recorder: Recorder;
  readonly #group: string;
  readonly #headers: Readonly<Record<string, string>>;
  readonly #agent: HttpAgent;

  constructor(options: { baseUrl: string; recorder: Recorder; group: string; forwardedFor: string }) {
    this.#baseUrl = new URL(options.baseUrl);
    this.#recorder = options.recorder;
    this.#group = options.group;
    this.#headers = {
      'X-Forwarded-For': options.forwardedFor,
      'User-Agent': 'showfloor-lab',
      Accept: 'application/json',
    };
    const settings = { keepAlive: true, maxSockets: 2 };
    this.#agent = this.#baseUrl.protocol === 'https:' ? new HttpsAgent(settings) : new HttpAgent(settings);
    for (const kind of ['read', 'write'] as const) this.#count('api_errors_total', kind).add(0);
  }

  /** Runs one step. `intendedAtMs` is when the plan wanted it; a generator that is late makes the answer look slower. */
  async run<T>(step: ApiStep<T>, intendedAtMs: number): Promise<ApiResult<T>> {
    const sentAtMs = monotonicMs();
    const answer = await this.#send(step);
    const nowMs = monotonicMs();
    const tags = { group: this.#group, kind: step.kind, step: step.name };
    this.#recorder.trend('api_ms', tags).record(nowMs - intendedAtMs);
    this.#recorder.trend('api_service_ms', tags).record(nowMs - sentAtMs);
    this.#count('api_requests_total', step.kind).add();
    if ('errorClass' in answer) return this.#fail(step, answer.errorClass);
    if (answer.status >= 500) return this.#fail(step, 'http_5xx');
    const result = step.read(answer);
    if (!result.ok && !result.isExpected) return this.#fail(step, `http_4xx ${result.reason}`);
    const outcome = result.ok ? 'ok' : result.reason;
    this.#recorder.counter('api_outcomes_total', { group: this.#group, step: step.name, outcome }).add();
    return result;
  }

  close(): void {
    this.#agent.destroy();
  }

  #fail<T>(step: ApiStep<T>, errorClass: string): ApiResult<T> {
    this.#count('api_errors_total', step.kind).add();
    this.#recorder.counter('api_error_classes_total', { group: this.#group, step: step.name, class: errorClass }).add();
    return { ok: false, reason: errorClass, isExpected: false };
  }

  #count(metric: string, kind: 'read' | 'write') {
    return this.#recorder.counter(metric, { group: this.#group, kind });
  }

  #send(step: ApiStep<unknown>): Promise<ApiAnswer | Failure> {
    const { method, path, headers, body } = step.request;
    const text = body === undefined ? null : JSON.stringify(body);
    const url = new URL(path, this.#baseUrl);
    const send = url.protocol === 'https:' ? requestHttps : requestHttp;
    return new Promise((done) => {
      const request = send(url, {
        method,
        agent: this.#agent,
        signal: AbortSignal.timeout(API_TIMEOUT_MS),
        headers: {
          ...this.#headers,
          ...(text === null ? {} : { 'Content-Type': 'application/json', 'Content-Length': Buffer.byteLength(text) }),
          ...headers,
        },
      });
      request.once('error', (error) => done({ errorClass: classOf(error) }));
      request.once('response', (response) => {
        done(readAnswer(response).catch((error: unknown) => ({ errorClass: classOf(error) })));
      });
      request.end(text ?? undefined);
    });
  }
}

function classOf(error: unknown): string {
  const code = errorCode(error);
  return code === 'ABORT_ERR' || code === 'TimeoutError' ? 'timeout' : code;
}

async function readAnswer(response: IncomingMessage): Promise<ApiAnswer | Failure> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of response as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > API_ANSWER_BYTES_MAX) {
      response.destroy();
      return { errorClass: 'too_large' };
    }
    chunks.push(chunk);
  }
  const text = Buffer.concat(chunks).toString();
  try {
    return { status: response.statusCode ?? 0, body: text === '' ? null : (JSON.parse(text) as unknown) };
  } catch {
    return { status: response.statusCode ?? 0, body: null }; // not JSON: the dialect judges by status
  }
}

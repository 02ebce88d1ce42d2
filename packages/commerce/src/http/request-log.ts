import type { Histogram, Logger } from '@showfloor/service-kit';
import { withRequestTime } from '../database/request-time.ts';
import type { App } from './app.ts';

const SLOW_MS = 1_000;
const VERY_SLOW_MS = 3_000;

/** One line and one observation per request. Paths are route patterns: no ids, and never a query string. */
export function registerRequestLog(app: App, log: Logger, duration: Histogram<'method' | 'path' | 'status'>): void {
  app.addHook('onRequest', (request, _reply, done) => {
    request.requestTime = { databaseMs: 0, externalMs: 0 };
    withRequestTime(request.requestTime, done);
  });
  // Reading the body loses the asynchronous context: it is entered again.
  app.addHook('preValidation', (request, _reply, done) => withRequestTime(request.requestTime, done));
  app.addHook('onResponse', (request, reply, done) => {
    const path = request.routeOptions.url ?? '(none)';
    duration.observe({ method: request.method, path, status: String(reply.statusCode) }, reply.elapsedTime / 1000);
    const line = {
      requestId: request.id,
      method: request.method,
      path,
      status: reply.statusCode,
      response_time_ms: Math.round(reply.elapsedTime * 10) / 10,
      db_query_time_ms: Math.round(request.requestTime.databaseMs * 10) / 10,
      external_api_time_ms: Math.round(request.requestTime.externalMs * 10) / 10,
    };
    if (reply.elapsedTime > SLOW_MS) {
      log.warn({ ...line, slow: reply.elapsedTime > VERY_SLOW_MS ? '3s' : '1s' }, 'http.answered');
    } else {
      log.info(line, 'http.answered');
    }
    done();
  });
}

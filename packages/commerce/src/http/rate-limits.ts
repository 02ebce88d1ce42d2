import rateLimit from '@fastify/rate-limit';
import type { App } from './app.ts';
import { ProblemError } from './problems.ts';

const ADDRESSES_MAX = 50_000;

/**
 * A budget per signed-in user, or per address for everyone else. Generous: many people share an address. Routes that try
 * passwords have their own, per address.
 */
export async function registerRateLimits(app: App, requestsPerMinute: number): Promise<void> {
  await app.register(rateLimit, {
    max: requestsPerMinute,
    timeWindow: 60_000,
    cache: ADDRESSES_MAX,
    keyGenerator: (request) => request.user?.id ?? request.ip,
    errorResponseBuilder: (_request, context) => new ProblemError('rate_limited', { retryAfterMs: context.ttl }),
  });
}

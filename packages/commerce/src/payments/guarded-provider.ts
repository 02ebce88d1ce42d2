import type { Counter, Gauge } from '@showfloor/service-kit';
import {
  CircuitState,
  circuitBreaker,
  ExponentialBackoff,
  handleAll,
  retry,
  SamplingBreaker,
  TimeoutStrategy,
  timeout,
  wrap,
} from 'cockatiel';
import { addExternalTime } from '../database/request-time.ts';
import type { PaymentProvider } from './payment-provider.ts';

export const PROVIDER_TIMEOUT_MS = 5_000;
const ATTEMPTS_MAX = 3;
const FIRST_BACKOFF_MS = 100;
const BACKOFF_MS_MAX = 1_000;
/** The breaker opens when a tenth of the calls of the last ten seconds failed, and tries again after five. */
const BREAKER_ERROR_SHARE = 0.1;
const BREAKER_WINDOW_MS = 10_000;
const BREAKER_RPS_MIN = 1;
const BREAKER_REST_MS = 5_000;

export type ProviderMetrics = { readonly calls?: Counter<'call' | 'outcome'>; readonly isBreakerOpen?: Gauge };

/**
 * Wraps a provider so that it cannot hold us up: 5 s per attempt, at most 3 attempts with growing, jittered pauses, and a
 * breaker. A call that fails in the end throws; whether the provider acted is then not known.
 */
export function guardProvider(provider: PaymentProvider, metrics: ProviderMetrics): PaymentProvider {
  const breaker = circuitBreaker(handleAll, {
    halfOpenAfter: BREAKER_REST_MS,
    breaker: new SamplingBreaker({
      threshold: BREAKER_ERROR_SHARE,
      duration: BREAKER_WINDOW_MS,
      minimumRps: BREAKER_RPS_MIN,
    }),
  });
  breaker.onStateChange((state) => metrics.isBreakerOpen?.set(state === CircuitState.Open ? 1 : 0));
  const policy = wrap(
    retry(handleAll, {
      maxAttempts: ATTEMPTS_MAX - 1, // cockatiel counts the retries
      backoff: new ExponentialBackoff({ initialDelay: FIRST_BACKOFF_MS, maxDelay: BACKOFF_MS_MAX }),
    }),
    breaker,
    timeout(PROVIDER_TIMEOUT_MS, TimeoutStrategy.Aggressive),
  );
  const guarded = async <T>(call: string, work: (signal: AbortSignal) => Promise<T>): Promise<T> => {
    const startedMs = performance.now();
    try {
      const result = await policy.execute(({ signal }) => work(signal));
      metrics.calls?.inc({ call, outcome: 'answered' });
      return result;
    } catch (error) {
      metrics.calls?.inc({ call, outcome: 'failed' });
      throw new ProviderUnavailable(provider.name, error);
    } finally {
      addExternalTime(performance.now() - startedMs);
    }
  };
  return {
    name: provider.name,
    charge: (request) => guarded('charge', (signal) => provider.charge(request, signal)),
    lookUp: (paymentId) => guarded('look_up', (signal) => provider.lookUp(paymentId, signal)),
    cancel: (paymentId) => guarded('cancel', (signal) => provider.cancel(paymentId, signal)),
    refund: (paymentId) => guarded('refund', (signal) => provider.refund(paymentId, signal)),
    close: () => provider.close(),
  };
}

/** The provider did not answer, time and again. What it did is not known until it is asked. */
export class ProviderUnavailable extends Error {
  override readonly name = 'ProviderUnavailable';
  constructor(provider: string, cause: unknown) {
    super(`payment provider ${provider} does not answer`, { cause });
  }
}

import { QueryClient } from '@tanstack/react-query';
import { asProblem } from './http.ts';

/** Waits between reads of a shop that does not answer: 1, 2, 4 … 15 s, or what the shop asked for. */
export function readRetryDelayMs(failures: number, error: unknown): number {
  const backoffMs = Math.min(15_000, 1_000 * 2 ** failures);
  return (asProblem(error).retryAfterMs ?? backoffMs) + Math.random() * 500;
}

/**
 * Reads are repeated while the shop is away and given up at once when it refused. `networkMode: always`: a browser that
 * believes itself offline may still reach a shop on its own machine.
 */
export const queryClient = new QueryClient({
  defaultOptions: {
    queries: {
      networkMode: 'always',
      staleTime: 2_000,
      refetchOnWindowFocus: true,
      retry: (failures, error) => asProblem(error).isOutage && failures < 3,
      retryDelay: readRetryDelayMs,
    },
    mutations: { networkMode: 'always', retry: false },
  },
});

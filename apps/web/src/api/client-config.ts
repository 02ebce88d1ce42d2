import type { ClientConfig } from '@showfloor/protocol';
import { useQuery } from '@tanstack/react-query';
import { readRetryDelayMs } from './query-client.ts';
import { getClientConfig } from './shop-api.ts';

/** Where the planes are. Asked until it is known, then kept. */
export function useClientConfig(): ClientConfig | undefined {
  return useQuery({
    queryKey: ['client-config'],
    queryFn: getClientConfig,
    staleTime: Number.POSITIVE_INFINITY,
    retry: true,
    retryDelay: readRetryDelayMs,
  }).data;
}

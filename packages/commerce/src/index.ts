/** The commerce plane: HTTP API, background jobs, schema. Processes are assembled from these in `apps/`. */
export { newSignInLink, prepareOwnerLink } from './accounts/owner-link.ts';
export { DEFAULT_HOLD_RULES, type HoldRules } from './carts/hold-desk.ts';
export { createPool, type Database, type DatabaseOptions, openDatabase, waitForDatabase } from './database/database.ts';
export { isSchemaCurrent, migrate } from './database/migrate.ts';
export { closeDemo, DEMO_SELLER_ID, type DemoSecrets, seedDemo } from './demo/seed-demo.ts';
export {
  type CommerceServer,
  type CommerceServerOptions,
  createCommerceServer,
  DEFAULT_RATES,
  type RequestRates,
} from './http/commerce-server.ts';
export type { PublicUrlOptions } from './http/public-urls.ts';
export { type CommerceJobsOptions, startCommerceJobs } from './jobs/commerce-jobs.ts';
export { guardProvider, type ProviderMetrics } from './payments/guarded-provider.ts';
export type { PaymentProvider } from './payments/payment-provider.ts';
export { createTestProvider, TEST_CARD } from './payments/test-provider.ts';

/** What every server process is built with: config, log, metrics, health, shutdown, signatures and tokens. */
export {
  type AdminOptions,
  type ReadinessCheck,
  readiness,
  startAdminServer,
} from './admin-server.ts';
export { assert, assertNever, BugError, bugsTotal, countBug } from './assert.ts';
export {
  COMMON_VARIABLES,
  ConfigError,
  type ConfigOf,
  choiceVariable,
  describeConfig,
  flagVariable,
  integerVariable,
  portVariable,
  readConfig,
  textVariable,
  urlVariable,
  type Variable,
  type VariableTable,
} from './config.ts';
export { yieldToMainThread } from './helper-threads.ts';
export { listen, StartError } from './listen.ts';
export { createLogger, type Logger } from './log.ts';
export { Counter, createMetrics, Gauge, Histogram, httpDurationHistogram, type Registry } from './metrics.ts';
export { MEDIA_NODE_OPTIONS } from './node-options.ts';
export {
  OUTBOUND_VARIABLES,
  OutboundGuard,
  type OutboundGuardOptions,
  type OutboundTarget,
  type ResolveHost,
} from './outbound-guard.ts';
export { type OutboundAnswer, type OutboundRequest, outboundRequest } from './outbound-request.ts';
export type { OutboundRefusal, OutboundRefused, OutboundUse } from './outbound-url.ts';
export { EXIT_FAILED, EXIT_OK, EXIT_USAGE, runService, type Service } from './run-service.ts';
export { createSealer, type Sealer } from './sealer.ts';
export { loadSecrets, type Secrets } from './secrets.ts';
export { type SignatureHeaders, signWebhook, verifyWebhook } from './signatures.ts';
export {
  createTokenSigner,
  createTokenVerifier,
  type TokenKind,
  type TokenSigner,
  type TokenVerifier,
} from './tokens.ts';

import cookie from '@fastify/cookie';
import cors from '@fastify/cors';
import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox';
import underPressure from '@fastify/under-pressure';
import {
  Counter,
  createSealer,
  createTokenSigner,
  createTokenVerifier,
  Gauge,
  Histogram,
  httpDurationHistogram,
  type Logger,
  listen,
  OutboundGuard,
  type OutboundGuardOptions,
  type Registry,
  type Secrets,
} from '@showfloor/service-kit';
import Fastify, { type FastifyRequest } from 'fastify';
import { registerAccountRoutes } from '../accounts/account-routes.ts';
import { RefreshCookie } from '../accounts/refresh-cookie.ts';
import { RevokedSessions } from '../accounts/revoked-sessions.ts';
import { registerCartRoutes } from '../carts/cart-routes.ts';
import { DEFAULT_HOLD_RULES, HoldDesk, type HoldRules } from '../carts/hold-desk.ts';
import { registerProductRoutes } from '../catalog/product-routes.ts';
import type { Database } from '../database/database.ts';
import { registerOrderRoutes } from '../orders/order-routes.ts';
import type { PaymentProvider } from '../payments/payment-provider.ts';
import { registerRestreamRoutes } from '../restream/restream-routes.ts';
import { MediaHeartbeats } from '../shows/media-heartbeats.ts';
import { registerMediaRoutes } from '../shows/media-routes.ts';
import { registerShowRoutes } from '../shows/show-routes.ts';
import { registerApiDocuments } from './api-documents.ts';
import type { App } from './app.ts';
import { registerAuthentication } from './authentication.ts';
import { answerError, ProblemError, sendProblem } from './problems.ts';
import { type PublicUrlOptions, type PublicUrls, publicUrls } from './public-urls.ts';
import { registerRateLimits } from './rate-limits.ts';
import { registerRequestLog } from './request-log.ts';
import { componentSchemas } from './schemas.ts';
import { registerSecurityHeaders } from './security-headers.ts';
import { registerSignedRoutes } from './signed-requests.ts';
import { registerSystemRoutes } from './system-routes.ts';
import { registerWebApp } from './web-app.ts';

export type CommerceServerOptions = {
  readonly database: Database;
  readonly provider: PaymentProvider;
  readonly secrets: Secrets;
  readonly registry: Registry;
  readonly log: Logger;
  readonly webDir: string;
  readonly urls: PublicUrlOptions;
  readonly graceSeconds: number;
  /** `?secret=` of media hooks that are not signed, from SRS; empty: refused. */
  readonly hookSecret?: string;
  readonly holdRules?: Partial<HoldRules>;
  /** Addresses of proxies whose `X-Forwarded-For` and `-Proto` are believed. */
  readonly trustedProxies?: readonly string[];
  /** Other origins whose pages may call the API. */
  readonly corsOrigins?: readonly string[];
  readonly rates?: Partial<RequestRates>;
  /** What URLs of users may lead to besides public addresses. */
  readonly outbound?: Pick<OutboundGuardOptions, 'allowedNetworks' | 'allowedPorts' | 'resolve'>;
};

/** Requests per minute: password routes and guest sign-ins per address, everything else per user or address. */
export type RequestRates = { readonly auth: number; readonly guest: number; readonly api: number };
export const DEFAULT_RATES: RequestRates = { auth: 60, guest: 1_200, api: 12_000 };

/** The commerce HTTP API. `listen` once; `close` ends requests in flight gracefully and leaves database and provider open. */
export type CommerceServer = {
  readonly app: App;
  /** Every route as `METHOD /pattern`. */
  readonly routes: readonly string[];
  readonly listen: (at: { readonly host: string; readonly port: number }) => Promise<number>;
  readonly isReady: () => Promise<boolean>;
  readonly close: () => Promise<void>;
};

const KEEP_ALIVE_MS = 75_000; // longer than the 60 s of a proxy in front
const BODY_BYTES_MAX = 128 * 1024;
const EVENT_LOOP_DELAY_MS_MAX = 1_000;
const START_UP_MS = 5_000;

export async function createCommerceServer(options: CommerceServerOptions): Promise<CommerceServer> {
  const { database, log, registry } = options;
  const rates = { ...DEFAULT_RATES, ...options.rates };
  const app = createApp(options);
  const routes: string[] = [];
  app.addHook('onRoute', ({ method, url }) => {
    routes.push(...[method].flat().map((one) => `${one} ${url}`));
  });
  const revoked = new RevokedSessions(database.kysely, log);
  const verify = await createTokenVerifier(options.secrets.tokenPublicKeyPem);
  const isReady = async (): Promise<boolean> => {
    await database.pool.query('select 1');
    return true;
  };
  const readyOrNot = (): Promise<boolean> => isReady().catch(() => false);

  registerRequestLog(app, log, httpDurationHistogram(registry));
  await registerSecurityHeaders(app, options.urls);
  if (options.corsOrigins !== undefined && options.corsOrigins.length > 0) {
    await app.register(cors, { origin: [...options.corsOrigins], credentials: true });
  }
  await app.register(cookie);
  registerAuthentication(app, verify, revoked);
  await registerRateLimits(app, rates.api);
  await registerPressureValve(app);
  await registerApiDocuments(app);
  await registerRoutes(app, options, { revoked, rates, isReady: readyOrNot });
  await registerWebApp(app, options.webDir);
  await app.ready();
  revoked.start();
  return {
    app,
    routes,
    listen: (at) => listen(app.server, at),
    isReady: readyOrNot,
    close: async () => {
      revoked.stop();
      await app.close();
    },
  };
}

function createApp(options: CommerceServerOptions): App {
  const proxies = options.trustedProxies ?? [];
  const app = Fastify({
    logger: false,
    bodyLimit: BODY_BYTES_MAX,
    trustProxy: proxies.length === 0 ? false : [...proxies],
    forceCloseConnections: 'idle',
    genReqId: () => crypto.randomUUID(),
    routerOptions: { ignoreTrailingSlash: true },
    ajv: { customOptions: { removeAdditional: false, coerceTypes: false, useDefaults: false } },
  }).withTypeProvider<TypeBoxTypeProvider>();
  app.server.keepAliveTimeout = KEEP_ALIVE_MS;
  for (const schema of componentSchemas()) app.addSchema(schema);
  app.setErrorHandler((error, request, reply) =>
    answerError(options.log, error instanceof Error ? error : new Error(String(error)), request, reply),
  );
  return app;
}

async function registerPressureValve(app: App): Promise<void> {
  const startedMs = performance.now();
  await app.register(underPressure, {
    maxEventLoopDelay: EVENT_LOOP_DELAY_MS_MAX,
    pressureHandler: (request, reply) => {
      // Compiling the routes blocks the loop once: that is no reason to turn anyone away.
      if (performance.now() - startedMs < START_UP_MS) return;
      sendProblem(request, reply, new ProblemError('overloaded'));
    },
  });
}

async function registerRoutes(
  app: App,
  options: CommerceServerOptions,
  made: {
    readonly revoked: RevokedSessions;
    readonly rates: RequestRates;
    readonly isReady: () => Promise<boolean>;
  },
): Promise<void> {
  const { database, registry, log, urls, secrets } = options;
  const db = database.kysely;
  const urlsFor = (request: FastifyRequest): PublicUrls =>
    publicUrls(urls, urls.origin.startsWith('https:') ? 'https' : request.protocol, request.headers.host);
  const counter = <L extends string>(name: string, help: string, labelNames: L[]): Counter<L> =>
    new Counter({ name, help, labelNames, registers: [registry] });

  registerSystemRoutes(app, { isReady: made.isReady, urlsFor });
  registerAccountRoutes(app, {
    db,
    sign: await createTokenSigner(secrets.tokenPrivateKeyPem),
    revoked: made.revoked,
    cookie: new RefreshCookie(urls.origin),
    authRatePerMinute: made.rates.auth,
    guestRatePerMinute: made.rates.guest,
  });
  registerShowRoutes(app, { db, urlsFor });
  const sealer = createSealer(secrets.storageSecret);
  registerRestreamRoutes(app, { db, sealer, guard: createGuard(options) });
  registerProductRoutes(app, db);
  registerCartRoutes(app, { db, holds: createHoldDesk(options) });
  registerOrderRoutes(app, {
    db,
    provider: options.provider,
    outcomes: counter('commerce_checkouts_total', 'Checkouts by outcome', ['outcome']),
  });
  const heartbeats = new MediaHeartbeats();
  new Gauge({
    name: 'media_heartbeat_timestamp_seconds',
    help: 'When a media server was last heard of',
    labelNames: ['device'] as const,
    registers: [registry],
    collect() {
      for (const { deviceId, lastSeenMs } of heartbeats.lastSeen()) this.set({ device: deviceId }, lastSeenMs / 1000);
    },
  });
  await registerSignedRoutes(app, { webhook: secrets.webhookSecret, url: options.hookSecret ?? '' }, (signed) =>
    registerMediaRoutes(signed, {
      db,
      log,
      graceMs: options.graceSeconds * 1000,
      sealer,
      heartbeats,
      admissions: counter('publish_admissions_total', 'Publishers by verdict', ['outcome']),
      streamEvents: counter('stream_events_total', 'Stream events by outcome', ['type', 'outcome']),
    }),
  );
}

function createGuard({ outbound, urls }: CommerceServerOptions): OutboundGuard {
  const publicHost = URL.canParse(urls.rtmpUrl) ? [new URL(urls.rtmpUrl).hostname.toLowerCase()] : [];
  return new OutboundGuard({ ...outbound, ingestPorts: [urls.rtmpPort], ingestHosts: publicHost });
}

function createHoldDesk(options: CommerceServerOptions): HoldDesk {
  const { database, registry } = options;
  return new HoldDesk({
    database,
    rules: { ...DEFAULT_HOLD_RULES, ...options.holdRules },
    refusedAtBound: new Counter({
      name: 'commerce_holds_refused_at_bound_total',
      help: 'Holds refused because too many waited',
      registers: [registry],
    }),
    waiting: new Gauge({
      name: 'commerce_holds_waiting',
      help: 'Holds that wait for a statement',
      registers: [registry],
    }),
    batchSize: new Histogram({
      name: 'commerce_hold_batch_size',
      help: 'Requests that shared one statement',
      buckets: [1, 2, 5, 10, 20, 50, 100, 200],
      registers: [registry],
    }),
  });
}

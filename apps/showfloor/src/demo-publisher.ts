import { publishFlvLoop } from '@showfloor/rtmp-client';
import { createLogger, runService, type Service } from '@showfloor/service-kit';
import { readDemoPublisherConfig } from './config.ts';
import { publishUrl } from './publish.ts';

/** Keeps the demo show on air; ready once the media server has let it publish. Its supervisor restarts it when it dies. */
async function start(): Promise<Service> {
  const config = readDemoPublisherConfig();
  const log = createLogger('demo-publisher', config.LOG_LEVEL);
  const stop = new AbortController();
  const onAir = Promise.withResolvers<void>();
  const ended = publishFlvLoop({
    url: publishUrl(config.SHOWFLOOR_PUBLISH_URL, config.SHOWFLOOR_STREAM_KEY),
    filePath: config.SHOWFLOOR_PUBLISH_FILE,
    signal: stop.signal,
    onState: (state) => {
      if (state.kind === 'publishing') {
        log.info({ connect_ms: Math.round(state.connectMs) }, 'demo.on_air');
        onAir.resolve();
      } else if (state.kind === 'waiting') {
        log.info({ reason: state.reason, retry_in_ms: state.retryInMs }, 'demo.waiting'); // media restarts: not our alarm
      }
    },
  });
  await Promise.race([onAir.promise, ended]);
  return {
    log,
    close: async () => {
      stop.abort();
      await ended;
    },
  };
}

await runService(start);

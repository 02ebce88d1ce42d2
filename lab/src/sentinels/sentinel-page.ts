/** The page that a sentinel watches: one player, and what it takes to measure it. It asks for nothing but this lab and the stream. */
import { CAPTURE_TIME_SEI_UUID, INGEST_TIME_SEI_UUID } from '@showfloor/media-formats';

/** Runs in the page. A stretch without a new position of the picture that is longer than this is a stall. */
const STALL_MS_MIN = 250;
const LOOK_EVERY_MS = 50;

/** The same settings as the profile `mpegts.js` of virtual viewers: live sync to 0.8 s above 1.2 s. */
const FLV_SETTINGS = {
  isLive: true,
  enableWorker: false,
  lazyLoad: false,
  stashInitialSize: 65_536,
  liveSync: true,
  liveSyncMaxLatency: 1.2,
  liveSyncTargetLatency: 0.8,
  liveSyncPlaybackRate: 1.2,
};

const SCRIPT = `(() => {
  const query = new URLSearchParams(location.search);
  const [way, url] = [query.get('way'), query.get('url')];
  const video = document.querySelector('video');
  const uuids = { capture: ${JSON.stringify([...CAPTURE_TIME_SEI_UUID])}, ingest: ${JSON.stringify([...INGEST_TIME_SEI_UUID])} };
  const seen = { startedAtMs: 0, startupMs: null, stalledMs: 0, stalls: 0, position: -1, movedAtMs: 0, marks: {}, error: null };
  let hls = null;

  function note({ uuid, user_data: data, pts }) {
    if (!uuid || !data || pts === undefined || data.length < 8) return;
    for (const [tier, wanted] of Object.entries(uuids)) {
      if (!wanted.every((byte, index) => uuid[index] === byte)) continue;
      const wallMs = Number(new DataView(data.buffer, data.byteOffset, 8).getBigUint64(0));
      seen.marks[tier] = [...(seen.marks[tier] || []).slice(-200), { pts, wallMs }];
    }
  }

  function latency() {
    if (seen.startupMs === null) return { latencyMs: null, tier: null };
    if (hls !== null) {
      const date = hls.playingDate;
      return date === null ? { latencyMs: null, tier: null } : { latencyMs: Date.now() - date.getTime(), tier: 'pdt' };
    }
    const atMs = video.currentTime * 1000;
    for (const tier of ['capture', 'ingest']) {
      const mark = (seen.marks[tier] || []).filter(({ pts }) => pts <= atMs).at(-1);
      if (mark) return { latencyMs: Date.now() - (mark.wallMs + atMs - mark.pts), tier };
    }
    return { latencyMs: null, tier: null };
  }

  function look() {
    const nowMs = performance.now();
    if (seen.startupMs === null || seen.error !== null) return;
    if (video.currentTime === seen.position) return;
    const gapMs = nowMs - seen.movedAtMs;
    if (gapMs >= ${STALL_MS_MIN}) { seen.stalls += 1; seen.stalledMs += gapMs; }
    seen.position = video.currentTime;
    seen.movedAtMs = nowMs;
  }

  window.sentinelPlay = () => {
    seen.startedAtMs = performance.now();
    const fail = (what) => { seen.error = String(what); };
    if (way === 'flv') {
      mpegts.LoggingControl.applyConfig({ enableAll: false });
      const player = mpegts.createPlayer({ type: 'flv', isLive: true, url, cors: true }, ${JSON.stringify(FLV_SETTINGS)});
      player.on('sei_arrived', note);
      player.on(mpegts.Events.ERROR, (type, detail) => fail(detail));
      player.attachMediaElement(video);
      player.load();
    } else {
      hls = new Hls({ lowLatencyMode: way === 'llhls' });
      hls.on(Hls.Events.ERROR, (name, data) => { if (data.fatal) fail(data.details); });
      hls.loadSource(url);
      hls.attachMedia(video);
    }
    video.requestVideoFrameCallback((nowMs) => {
      seen.startupMs = nowMs - seen.startedAtMs;
      seen.movedAtMs = nowMs;
    });
    video.play().catch(() => {});
    setInterval(look, ${LOOK_EVERY_MS});
  };

  window.sentinelSample = () => {
    const nowMs = performance.now();
    const openMs = seen.startupMs === null ? 0 : nowMs - seen.movedAtMs;
    const isStalled = openMs >= ${STALL_MS_MIN};
    const quality = video.getVideoPlaybackQuality();
    const state = seen.error !== null ? 'failed' : seen.startupMs === null ? 'starting' : isStalled ? 'stalled' : 'playing';
    return {
      state,
      startupMs: seen.startupMs,
      watchedMs: nowMs - seen.startedAtMs,
      stalledMs: seen.stalledMs + (isStalled ? openMs : 0),
      stalls: seen.stalls + (isStalled ? 1 : 0),
      frames: quality.totalVideoFrames,
      droppedFrames: quality.droppedVideoFrames,
      error: seen.error,
      ...latency(),
    };
  };
})();`;

/** The whole page. Its query says `way` (flv, hls or llhls) and `url`. */
export const SENTINEL_PAGE = `<!doctype html><meta charset="utf-8"><title>sentinel</title>
<video muted playsinline width="320" height="180"></video>
<script src="/mpegts.js"></script><script src="/hls.js"></script><script>${SCRIPT}</script>`;

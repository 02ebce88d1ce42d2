import { randomUUID } from 'node:crypto';
import type { Socket } from 'node:net';
import type { Logger } from '@showfloor/service-kit';
import type { GopLimits } from '../hub/gop-cache.ts';
import type { Stream } from '../hub/stream.ts';
import type { MediaMetrics } from '../media-metrics.ts';
import { FlvFanOut } from './flv-fan-out.ts';
import { FlvViewer, type ViewerLimits } from './flv-viewer.ts';
import type { MergeSetting } from './merge-policy.ts';

export type FlvDeliveryOptions = Readonly<{
  metrics: MediaMetrics;
  log: Logger;
  gop: GopLimits;
  viewerLimits: ViewerLimits;
  merge: MergeSetting;
  mergeCeilingMs: number;
  keepAliveMs: number;
  onViewer?: ViewerListener;
}>;

/** Told when a viewer of any protocol begins (`on_play`) and ends (`on_stop`). */
export type ViewerListener = (
  action: 'on_play' | 'on_stop',
  viewer: Readonly<{ id: string; ip: string; playbackId: string }>,
) => void;

type Watch = { readonly viewer: FlvViewer; readonly fanOut: FlvFanOut; endReason: string };

/** All FLV viewers of the process: one fan-out per stream that has viewers, made lazily, gone with the last viewer. */
export class FlvDelivery {
  readonly #options: FlvDeliveryOptions;
  readonly #fanOuts = new Map<Stream, FlvFanOut>();
  readonly #sent = new WeakMap<Stream, { bytes: number }>();
  readonly #watches = new Map<string, Watch>();

  constructor(options: FlvDeliveryOptions) {
    this.#options = options;
  }

  get viewerCount(): number {
    return this.#watches.size;
  }

  /** Viewers by id, for the control API. */
  viewers(): readonly FlvViewer[] {
    return Array.from(this.#watches.values(), (watch) => watch.viewer);
  }

  /** Viewers of one stream. */
  countFor(stream: Stream): number {
    return this.#fanOuts.get(stream)?.viewers.size ?? 0;
  }

  /** Bytes handed to all viewers of a stream since it began. */
  sentBytesOf(stream: Stream): number {
    return this.#sent.get(stream)?.bytes ?? 0;
  }

  /** Gives a socket, whose HTTP head is written, to a stream. `ip` is the viewer's. The socket's end takes the viewer out. */
  watch(stream: Stream, socket: Socket, ip: string): void {
    const viewer = new FlvViewer({ id: randomUUID(), ip, playbackId: stream.playbackId }, socket);
    const fanOut = this.#fanOutFor(stream);
    const watch: Watch = { viewer, fanOut, endReason: 'viewer_closed' };
    this.#watches.set(viewer.id, watch);
    this.#options.metrics.subscribers.inc({ protocol: 'flv' });
    this.#options.metrics.plays.inc({ protocol: 'flv', outcome: 'accepted' });
    this.#options.onViewer?.('on_play', viewer);
    socket.once('close', () => this.#leave(stream, watch));
    fanOut.join(viewer);
  }

  /** Cuts a viewer; false when there is none with this id. */
  cut(viewerId: string, reason: string): boolean {
    const watch = this.#watches.get(viewerId);
    if (watch === undefined) return false;
    watch.endReason = reason;
    watch.viewer.cut();
    return true;
  }

  /** Cuts everyone. */
  close(): void {
    for (const id of this.#watches.keys()) this.cut(id, 'server_stopping');
    for (const fanOut of this.#fanOuts.values()) fanOut.dispose();
    this.#fanOuts.clear();
  }

  #fanOutFor(stream: Stream): FlvFanOut {
    const known = this.#fanOuts.get(stream);
    if (known !== undefined) return known;
    const { metrics, gop, viewerLimits, merge, mergeCeilingMs, keepAliveMs } = this.#options;
    const sent = this.#sent.get(stream) ?? { bytes: 0 };
    this.#sent.set(stream, sent);
    const fanOut = new FlvFanOut(stream, {
      sent,
      metrics,
      gop,
      viewerLimits,
      merge,
      mergeCeilingMs,
      keepAliveMs,
      onStuck: (viewer) => this.cut(viewer.id, 'too_slow'),
      onTracksChanged: (viewers) => {
        for (const { id } of viewers) {
          const watch = this.#watches.get(id);
          if (watch !== undefined) watch.endReason = 'tracks_changed';
        }
      },
      onEnded: () => {
        this.#fanOuts.delete(stream);
        for (const watch of this.#watches.values()) if (watch.fanOut === fanOut) watch.endReason = 'stream_ended';
      },
    });
    this.#fanOuts.set(stream, fanOut);
    return fanOut;
  }

  #leave(stream: Stream, watch: Watch): void {
    const { viewer, fanOut, endReason } = watch;
    const { metrics, log } = this.#options;
    this.#watches.delete(viewer.id);
    fanOut.leave(viewer);
    if (fanOut.viewers.size === 0 && this.#fanOuts.get(stream) === fanOut) {
      fanOut.dispose();
      this.#fanOuts.delete(stream);
    }
    metrics.subscribers.dec({ protocol: 'flv' });
    metrics.subscriberEnds.inc({ reason: endReason });
    this.#options.onViewer?.('on_stop', viewer);
    const watchedMs = Date.now() - viewer.createdAtMs;
    const fields = { playbackId: viewer.playbackId, reason: endReason, watchedMs, sentBytes: viewer.sentBytes };
    // Every viewer's leaving at info would be the log's bulk in a large show; what we decided ourselves is news.
    if (endReason === 'too_slow' || endReason === 'cut') log.info(fields, 'viewer.closed');
    else log.debug(fields, 'viewer.closed');
  }
}

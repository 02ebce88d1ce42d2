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

/** All FLV viewers of the process: one fan-out per stream that has viewers, made lazily, gone with the last viewer. */
export class FlvDelivery {
  readonly #options: FlvDeliveryOptions;
  readonly #fanOuts = new Map<Stream, FlvFanOut>();
  readonly #sent = new WeakMap<Stream, { bytes: number }>();
  readonly #viewers = new Map<Socket, FlvViewer>();
  /** One for all sockets, which it is called with: a function of its own each would be a fifth of what a viewer takes. */
  readonly #onClose: (this: Socket) => void;

  constructor(options: FlvDeliveryOptions) {
    this.#options = options;
    const leave = (socket: Socket): void => this.#leave(socket);
    this.#onClose = function onClose(): void {
      leave(this);
    };
  }

  get viewerCount(): number {
    return this.#viewers.size;
  }

  /** Viewers, for the control API. */
  viewers(): readonly FlvViewer[] {
    return [...this.#viewers.values()];
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
    const viewer = new FlvViewer({ id: newViewerId(), ip, playbackId: stream.playbackId }, socket);
    const fanOut = this.#fanOutFor(stream);
    viewer.fanOut = fanOut;
    this.#viewers.set(socket, viewer);
    this.#options.metrics.subscribers.inc({ protocol: 'flv' });
    this.#options.metrics.plays.inc({ protocol: 'flv', outcome: 'accepted' });
    this.#options.onViewer?.('on_play', viewer);
    socket.on('close', this.#onClose);
    fanOut.join(viewer);
  }

  /** Cuts a viewer; false when there is none with this id. Looks through all of them: it is called by hand. */
  cut(viewerId: string, reason: string): boolean {
    for (const viewer of this.#viewers.values()) {
      if (viewer.id !== viewerId) continue;
      this.#cut(viewer, reason);
      return true;
    }
    return false;
  }

  /** Cuts everyone. */
  close(): void {
    for (const viewer of this.#viewers.values()) this.#cut(viewer, 'server_stopping');
    for (const fanOut of this.#fanOuts.values()) fanOut.dispose();
    this.#fanOuts.clear();
  }

  #cut(viewer: FlvViewer, reason: string): void {
    viewer.endReason = reason;
    viewer.cut();
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
      onStuck: (viewer) => this.#cut(viewer, 'too_slow'),
      onTracksChanged: (viewers) => {
        for (const viewer of viewers) viewer.endReason = 'tracks_changed';
      },
      onEnded: (viewers) => {
        this.#fanOuts.delete(stream);
        for (const viewer of viewers) viewer.endReason = 'stream_ended';
      },
    });
    this.#fanOuts.set(stream, fanOut);
    return fanOut;
  }

  #leave(socket: Socket): void {
    const viewer = this.#viewers.get(socket);
    if (viewer === undefined) return;
    const { fanOut, endReason } = viewer;
    const { metrics, log } = this.#options;
    this.#viewers.delete(socket);
    fanOut?.leave(viewer);
    if (fanOut?.viewers.size === 0 && this.#fanOuts.get(fanOut.stream) === fanOut) {
      fanOut.dispose();
      this.#fanOuts.delete(fanOut.stream);
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

/** Flat: Node puts a UUID together from 15 strings, which it would keep, half a KB. */
function newViewerId(): string {
  return Buffer.from(randomUUID(), 'latin1').toString('latin1');
}

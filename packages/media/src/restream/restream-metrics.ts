import { Counter, Gauge, type Registry } from '@showfloor/service-kit';

/**
 * The figures of restreaming. The label `target` is an id of which a stream has ten at most; its series go when it stops. Names and
 * addresses of targets are in the control API only.
 */
export function createRestreamMetrics(registry: Registry) {
  const registers = [registry];
  const perTarget = (name: string, help: string): Gauge<'target'> =>
    new Gauge({ name, help, labelNames: ['target'] as const, registers });
  return {
    restreamTargets: new Gauge({
      name: 'media_restream_targets',
      help: 'Restream targets of shows on air by state',
      labelNames: ['state'] as const,
      registers,
    }),
    restreamActive: perTarget('media_restream_active', '1 while the target takes the stream'),
    restreamBitrate: perTarget('media_restream_bitrate_bps', 'Bits per second that leave for the target, over 5 s'),
    restreamFrameRate: perTarget('media_restream_frame_rate', 'Pictures per second sent to the target, over 5 s'),
    restreamAccepted: new Counter({
      name: 'media_restream_accepted_total',
      help: 'Publishes that a target has accepted',
      registers,
    }),
    restreamEnds: new Counter({
      name: 'media_restream_ends_total',
      help: 'Attempts and connections that ended by themselves, by reason',
      labelNames: ['reason'] as const,
      registers,
    }),
    restreamSentBytes: new Counter({
      name: 'media_restream_sent_bytes_total',
      help: 'Bytes that left for restream targets',
      registers,
    }),
    restreamDroppedPackets: new Counter({
      name: 'media_restream_dropped_packets_total',
      help: 'Packets not sent to a target over its bound',
      registers,
    }),
  };
}

import { RTMP_READER_LIMITS, type RtmpReaderLimits } from '@showfloor/media-formats';

/** Bounds of one RTMP connection (bar S2). */
export type RtmpLimits = Readonly<{
  /** TCP accepted → handshake finished. */
  handshakeTimeoutMs: number;
  /** Handshake finished → publish asked; publish accepted → first media packet. */
  firstPacketTimeoutMs: number;
  /** First picture → first keyframe, of a publisher without sound. */
  keyframeTimeoutMs: number;
  /** Longest silence of a publisher on air. */
  silenceTimeoutMs: number;
  /** Answers that may wait for a peer to read them; more end the connection (`not_reading`). */
  answerBytesMax: number;
  /** Commands and pings that a peer may send before its publish is accepted; encoders need about six. */
  questionsMax: number;
  /** What may be buffered and announced before the key was checked. */
  unauthenticated: RtmpReaderLimits;
  /** The same after that: messages up to 8 MB. */
  authenticated: RtmpReaderLimits;
}>;

const UNAUTHENTICATED_BYTES_MAX = 64 * 1024;

export const RTMP_LIMITS: RtmpLimits = {
  handshakeTimeoutMs: 10_000,
  firstPacketTimeoutMs: 10_000,
  keyframeTimeoutMs: 20_000,
  silenceTimeoutMs: 30_000,
  answerBytesMax: 64 * 1024,
  questionsMax: 64,
  unauthenticated: {
    messageBytesMax: UNAUTHENTICATED_BYTES_MAX,
    pendingBytesMax: UNAUTHENTICATED_BYTES_MAX,
    chunkStreamsMax: 16,
  },
  authenticated: RTMP_READER_LIMITS,
};

/** Settings of HLS for all streams; `MEDIA_HLS_*` in the media server. */
export type HlsOptions = Readonly<{
  isEnabled: boolean;
  /** A segment ends at the first keyframe after this. Parity: SRS `hls_fragment` 1. */
  segmentMs: number;
  /** Segments in the playlist; at least 4. Parity: SRS `hls_window` 4; 8 keep a player that is 6 behind in the list. */
  windowSegments: number;
  /** What a part should last; the nearest whole number of frames is taken. */
  partMs: number;
  /** Bytes kept per stream: over it the oldest segments go first. */
  bytesMax: number;
  /** Bytes kept for all streams: over it ended ones go first, then each stream that has more than an equal share keeps to that. */
  bytesTotalMax: number;
  /** How long an ended stream can still be fetched. */
  lingerMs: number;
}>;

/** 1 s segments, 200 ms parts; 48 MB hold the window and what is kept behind it up to 20 Mbit/s, 1 GB that of 170 streams of 2.65. */
export const HLS_OPTIONS: HlsOptions = {
  isEnabled: true,
  segmentMs: 1_000,
  windowSegments: 8,
  partMs: 200,
  bytesMax: 48 * 1024 * 1024,
  bytesTotalMax: 1024 * 1024 * 1024,
  lingerMs: 30_000,
};

const MB = 1024 * 1024;

/** What recording may take. At each bound the recording of that show stops, for good; the show goes on. */
export type RecordingLimits = Readonly<{
  /** Bytes of one show, all its files together. */
  showBytesMax: number;
  /** Files of one show. Each change of a codec's configuration begins another. */
  partsMax: number;
  /** Memory of one show's media that waits for the disk. */
  queueBytesMax: number;
  /** The same of all shows together; who would go over it stops. */
  totalQueueBytesMax: number;
  /** Free space of the file system, in percent, below which nothing is written: databases live there too. */
  freePercentMin: number;
}>;

/** Eleven hours at 6 Mbit/s; 16 MB are twenty seconds of it, 256 MB three seconds of a hundred shows. Free space ends above zero, below the alert at 15 %. */
export const RECORDING_LIMITS: RecordingLimits = {
  showBytesMax: 32 * 1024 * MB,
  partsMax: 100,
  queueBytesMax: 16 * MB,
  totalQueueBytesMax: 256 * MB,
  freePercentMin: 5,
};

/** Why a recording stopped before its show did. */
export type RecordingStop =
  /** The disk refused a write for want of room. */
  | 'disk_full'
  /** Less than `freePercentMin` is free. */
  | 'disk_low'
  /** The disk failed otherwise. */
  | 'disk_error'
  /** The disk is slower than the show, or than all shows together. */
  | 'queue_full'
  | 'bytes_max'
  /** The publisher has changed its configuration too often. */
  | 'parts_max'
  /** Switched off when the publisher returned. */
  | 'disabled';

const FULL_CODES = new Set(['ENOSPC', 'EDQUOT', 'EFBIG']);

/** The reason that an error of the disk stands for. */
export function stopReasonOf(error: unknown): 'disk_full' | 'disk_error' {
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  return FULL_CODES.has(code) ? 'disk_full' : 'disk_error';
}

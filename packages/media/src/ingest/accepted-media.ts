/**
 * What we take from an encoder: H.264 or H.265 pictures and AAC sound, one track of each. Everything else is refused by name, at
 * the first packet of it: a stream that some players show and others do not is worse than a clear no.
 */
import {
  type FlvAudioHeader,
  type FlvVideoHeader,
  FormatError,
  readFlvAudioHeader,
  readFlvVideoHeader,
  refusalOfFlvAudio,
  refusalOfFlvVideo,
} from '@showfloor/media-formats';

/** The header of a video payload we take. Throws FormatError `ingest.unsupported_…`. */
export function readAcceptedVideo(payload: Uint8Array): FlvVideoHeader {
  const header = readFlvVideoHeader(payload);
  if (refusalOfFlvVideo(header) !== null) throw unsupported('video', header);
  return header;
}

/** The header of an audio payload we take. Throws FormatError `ingest.unsupported_…`. */
export function readAcceptedAudio(payload: Uint8Array): FlvAudioHeader {
  const header = readFlvAudioHeader(payload);
  if (refusalOfFlvAudio(header) !== null) throw unsupported('audio', header);
  return header;
}

/** Names of our own only, never the peer's bytes: the code becomes a metric label. */
function unsupported(track: 'video' | 'audio', { form, codec }: FlvVideoHeader | FlvAudioHeader): FormatError {
  if (form === 'multitrack') return new FormatError('ingest.unsupported_multitrack');
  if (form === 'mod-ex') return new FormatError('ingest.unsupported_mod_ex');
  return new FormatError(`ingest.unsupported_${codec === 'unknown' ? track : codec}`);
}

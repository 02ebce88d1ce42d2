/** What an encoder on air is told when its session ends by our will. Reasons are those of log and metrics. */
const WANTED = 'Send H.264 or H.265 video and AAC sound, one track of each.';

const NAMES: Readonly<Record<string, string>> = {
  av1: 'AV1 video',
  vp9: 'VP9 video',
  vp8: 'VP8 video',
  vvc: 'H.266 video',
  video: 'This video codec',
  opus: 'Opus sound',
  mp3: 'MP3 sound',
  ac3: 'AC-3 sound',
  eac3: 'E-AC-3 sound',
  flac: 'FLAC sound',
  audio: 'This audio codec',
  multitrack: 'Several tracks in one stream',
  mod_ex: 'The ModEx extension',
};
const UNSUPPORTED = 'ingest.unsupported_';
const FAILED: Readonly<Record<string, string>> = {
  'rtmp.message_too_large': 'A message was larger than this server takes (8 MB). Lower the bitrate.',
  no_media: 'No picture and no sound came.',
  no_keyframe: 'No keyframe came. Set the keyframe interval of the encoder to 1 or 2 seconds.',
  silent: 'Nothing came for too long.',
};

/** Reasons that the encoder's settings are to blame for; the others are the network's, or nobody's. */
const SETTINGS: ReadonlySet<string> = new Set(['rtmp.message_too_large', 'no_keyframe']);

/**
 * NetStream status code and text. `Rejected`: the same settings will be refused again. `isSetting`: whoever set up the encoder should
 * read the text, also when the encoder does not show it.
 */
export function encoderText(reason: string): { code: string; text: string; isSetting: boolean } {
  if (reason.startsWith(UNSUPPORTED)) {
    const what = NAMES[reason.slice(UNSUPPORTED.length)] ?? 'This codec';
    return { code: 'NetStream.Publish.Rejected', text: `Not supported: ${what}. ${WANTED}`, isSetting: true };
  }
  const text = FAILED[reason] ?? `The stream is broken (${reason}).`;
  return { code: 'NetStream.Failed', text, isSetting: SETTINGS.has(reason) };
}

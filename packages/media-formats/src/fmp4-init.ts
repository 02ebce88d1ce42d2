/**
 * The init segment of fragmented MP4: `ftyp` and `moov` without samples.
 * Spec: ISO/IEC 14496-12 (boxes), 14496-14 and 14496-1 (`esds`), 14496-15 (`avc1`, `hvc1`), 23000-19 (CMAF, clause 7).
 */
import { concatBytes } from './byte-order.ts';
import { ascii, mp4Box, mp4FullBox, uint16s, uint32s, writeUint64 } from './mp4-box.ts';

/** A track as the init segment describes it; `timescale` is the ticks per second of its samples. */
export type Fmp4Track =
  | Readonly<{
      kind: 'video';
      codec: 'avc' | 'hevc';
      /** The decoder configuration record, verbatim: what the FLV sequence header carries. */
      config: Uint8Array;
      widthPx: number;
      heightPx: number;
      timescale: number;
    }>
  | Readonly<{
      kind: 'audio';
      codec: 'aac';
      /** The AudioSpecificConfig, verbatim. */
      config: Uint8Array;
      sampleRateHz: number;
      channels: number;
      timescale: number;
    }>;

type VideoTrack = Extract<Fmp4Track, { kind: 'video' }>;
type AudioTrack = Extract<Fmp4Track, { kind: 'audio' }>;

/** What a file says of itself; `durationMs` adds a `mehd` of fixed size, so that it can be rewritten in place. */
export type Fmp4InitOptions = Readonly<{ durationMs?: number }>;

const MOVIE_TIMESCALE = 1_000;
const IDENTITY_MATRIX = uint32s(0x1_0000, 0, 0, 0, 0x1_0000, 0, 0, 0, 0x4000_0000);
const LANGUAGE_UNDETERMINED = 0x55c4;
const TRACK_ENABLED_IN_MOVIE = 3;
const ES_DESCRIPTOR = 3;
const DECODER_CONFIG_DESCRIPTOR = 4;
const DECODER_SPECIFIC_INFO = 5;
const SL_CONFIG_DESCRIPTOR = 6;
const OBJECT_TYPE_AAC = 0x40;
const AUDIO_STREAM_TYPE = 0x15;

/**
 * `ftyp` and `moov`; track ids are 1, 2 … in the order given. One track makes a CMAF header (brand `cmfc`); several in
 * one file are what HLS calls a muxed rendition, which CMAF does not name, so the brand is left out. Throws RangeError
 * without tracks.
 */
export function encodeFmp4Init(tracks: readonly Fmp4Track[], options: Fmp4InitOptions = {}): Uint8Array {
  if (tracks.length === 0) throw new RangeError('an init segment needs a track');
  const brands = tracks.length === 1 ? ['iso6', 'cmfc', 'mp41'] : ['iso6', 'mp41'];
  const extendsBoxes = tracks.map((_, index) => mp4FullBox('trex', 0, uint32s(index + 1, 1, 0, 0, 0)));
  return concatBytes([
    mp4Box('ftyp', ascii('iso6'), uint32s(0), ...brands.map(ascii)),
    mp4Box(
      'moov',
      movieHeader(tracks.length + 1),
      ...tracks.map((track, index) => trackBox(track, index + 1)),
      mp4Box('mvex', ...duration(options.durationMs), ...extendsBoxes),
    ),
  ]);
}

function movieHeader(nextTrackId: number): Uint8Array {
  const rateAndVolume = [uint32s(0x1_0000), uint16s(0x100, 0), uint32s(0, 0)];
  return mp4FullBox(
    'mvhd',
    0,
    uint32s(0, 0, MOVIE_TIMESCALE, 0),
    ...rateAndVolume,
    IDENTITY_MATRIX,
    uint32s(0, 0, 0, 0, 0, 0, nextTrackId),
  );
}

function duration(durationMs: number | undefined): Uint8Array[] {
  if (durationMs === undefined) return [];
  const ticks = new Uint8Array(8);
  writeUint64(ticks, 0, Math.round((durationMs * MOVIE_TIMESCALE) / 1_000));
  return [mp4FullBox('mehd', 0x0100_0000, ticks)];
}

function trackBox(track: Fmp4Track, trackId: number): Uint8Array {
  const isVideo = track.kind === 'video';
  const [widthPx, heightPx] = isVideo ? [track.widthPx, track.heightPx] : [0, 0];
  const header = mp4FullBox(
    'tkhd',
    TRACK_ENABLED_IN_MOVIE,
    uint32s(0, 0, trackId, 0, 0, 0, 0),
    uint16s(0, 0, isVideo ? 0 : 0x100, 0), // layer, alternate group, volume, reserved
    IDENTITY_MATRIX,
    uint32s(widthPx * 0x1_0000, heightPx * 0x1_0000),
  );
  const mediaHeader = mp4FullBox('mdhd', 0, uint32s(0, 0, track.timescale, 0), uint16s(LANGUAGE_UNDETERMINED, 0));
  const handler = mp4FullBox(
    'hdlr',
    0,
    uint32s(0),
    ascii(isVideo ? 'vide' : 'soun'),
    uint32s(0, 0, 0),
    ascii(isVideo ? 'video\0' : 'audio\0'),
  );
  const kindHeader = isVideo ? mp4FullBox('vmhd', 1, uint16s(0, 0, 0, 0)) : mp4FullBox('smhd', 0, uint16s(0, 0));
  const selfContained = mp4Box('dinf', mp4FullBox('dref', 0, uint32s(1), mp4FullBox('url ', 1)));
  const media = mp4Box('minf', kindHeader, selfContained, sampleTable(track));
  return mp4Box('trak', header, mp4Box('mdia', mediaHeader, handler, media));
}

function sampleTable(track: Fmp4Track): Uint8Array {
  return mp4Box(
    'stbl',
    mp4FullBox('stsd', 0, uint32s(1), track.kind === 'video' ? videoEntry(track) : audioEntry(track)),
    mp4FullBox('stts', 0, uint32s(0)),
    mp4FullBox('stsc', 0, uint32s(0)),
    mp4FullBox('stsz', 0, uint32s(0, 0)),
    mp4FullBox('stco', 0, uint32s(0)),
  );
}

function videoEntry(track: VideoTrack): Uint8Array {
  const [entryType, configType] = track.codec === 'avc' ? ['avc1', 'avcC'] : ['hvc1', 'hvcC'];
  return mp4Box(
    entryType,
    uint32s(0),
    uint16s(0, 1), // reserved, data reference index
    uint32s(0, 0, 0, 0),
    uint16s(track.widthPx, track.heightPx),
    uint32s(0x48_0000, 0x48_0000, 0), // 72 dpi, reserved
    uint16s(1), // frames per sample
    new Uint8Array(32), // compressor name
    uint16s(0x18, 0xffff), // depth, pre-defined -1
    mp4Box(configType, track.config),
  );
}

function audioEntry(track: AudioTrack): Uint8Array {
  // 16.16 holds rates below 65,536 Hz; above, readers take the rate of the AudioSpecificConfig
  const rate = track.sampleRateHz > 0xffff ? 0 : track.sampleRateHz * 0x1_0000;
  return mp4Box(
    'mp4a',
    uint32s(0),
    uint16s(0, 1), // reserved, data reference index
    uint32s(0, 0),
    uint16s(track.channels === 0 ? 2 : track.channels, 16, 0, 0),
    uint32s(rate),
    elementaryStream(track.config),
  );
}

function elementaryStream(audioSpecificConfig: Uint8Array): Uint8Array {
  const decoder = descriptor(
    DECODER_CONFIG_DESCRIPTOR,
    Uint8Array.of(OBJECT_TYPE_AAC, AUDIO_STREAM_TYPE, 0, 0, 0),
    uint32s(0, 0), // bit rates, unknown
    descriptor(DECODER_SPECIFIC_INFO, audioSpecificConfig),
  );
  const sync = descriptor(SL_CONFIG_DESCRIPTOR, Uint8Array.of(2));
  return mp4FullBox('esds', 0, descriptor(ES_DESCRIPTOR, Uint8Array.of(0, 0, 0), decoder, sync));
}

/** A descriptor of 14496-1, 8.3.3, its length always in four bytes of seven bits. */
function descriptor(tag: number, ...content: readonly Uint8Array[]): Uint8Array {
  const body = concatBytes(content);
  const lengthBytes = [21, 14, 7, 0].map((shift) => ((body.length >>> shift) & 0x7f) | (shift === 0 ? 0 : 0x80));
  return concatBytes([Uint8Array.of(tag, ...lengthBytes), body]);
}

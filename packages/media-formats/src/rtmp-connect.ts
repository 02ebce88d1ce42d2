/**
 * The `connect` command: what the client is and what it can do, and what we answer about ourselves. Spec: Adobe RTMP 1.0,
 * 7.2.1.1; Enhanced RTMP v2, "Enhancing NetConnection connect Command".
 */
import { Amf0EcmaArray, type Amf0Object, type Amf0Value } from './amf0.ts';
import type { RtmpCommand } from './rtmp-command.ts';

/** Bits of a FourCC's entry in `videoFourCcInfoMap` and `audioFourCcInfoMap`. */
export const FourCcInfo = { canDecode: 1, canEncode: 2, canForward: 4 } as const;
/** Bits of `capsEx`. We have none of them. */
export const RtmpCapsEx = { reconnect: 1, multitrack: 2, modEx: 4, timestampNanoOffset: 8 } as const;

/** What a peer says of Enhanced RTMP; `*` as a FourCC means any codec. */
export type EnhancedRtmp = Readonly<{
  /** FourCC → {@link FourCcInfo} bits. From `fourCcList` (v1) every codec has all bits. */
  video: ReadonlyMap<string, number>;
  audio: ReadonlyMap<string, number>;
  /** {@link RtmpCapsEx} bits. */
  capsEx: number;
}>;

/** What is read of a `connect` command. Texts are cut at 2,048 characters; `tcUrl` may hold a stream key: never log it. */
export type RtmpConnect = Readonly<{
  app: string;
  tcUrl: string;
  flashVer: string;
  /** 0 AMF0, 3 AMF3; we always answer 0. */
  objectEncoding: number;
  /** Null for a peer that says nothing of it. */
  enhanced: EnhancedRtmp | null;
}>;

const TEXT_CHARS_MAX = 2_048;
const FOURCC_MAX = 64;
const FOURCC_CHARS_MAX = 4;
const ALL_BITS = FourCcInfo.canDecode | FourCcInfo.canEncode | FourCcInfo.canForward;
const VIDEO_FOURCC = ['avc1', 'hvc1'] as const;
const AUDIO_FOURCC = ['mp4a'] as const;

/** Reads a `connect` command; what is absent or of another type is empty. Throws nothing. */
export function readRtmpConnect(command: RtmpCommand): RtmpConnect {
  const info = asObject(command.args[0]);
  const encoding = info.objectEncoding;
  return {
    app: text(info.app),
    tcUrl: text(info.tcUrl),
    flashVer: text(info.flashVer),
    objectEncoding: typeof encoding === 'number' ? encoding : 0,
    enhanced: readEnhancedRtmp(info),
  };
}

/** Reads the Enhanced RTMP properties of a `connect` command's object or of the answer to one; null without any. */
export function readEnhancedRtmp(value: Amf0Value): EnhancedRtmp | null {
  const info = asObject(value);
  const { fourCcList, videoFourCcInfoMap, audioFourCcInfoMap, capsEx } = info;
  if ([fourCcList, videoFourCcInfoMap, audioFourCcInfoMap, capsEx].every((one) => one === undefined)) return null;
  const listed = fourCcsOf(fourCcList).map((fourCc): [string, number] => [fourCc, ALL_BITS]);
  return {
    video: new Map([...listed, ...entriesOf(videoFourCcInfoMap)]),
    audio: new Map([...listed, ...entriesOf(audioFourCcInfoMap)]),
    capsEx: typeof capsEx === 'number' && capsEx >= 0 ? Math.min(capsEx, 0xff_ff_ff_ff) : 0,
  };
}

/**
 * Our properties: `avc1`, `hvc1` and `mp4a` are carried, nothing else, and no extension of v2. A server adds them to the
 * answer of `connect` (`canForward`), to both of its objects, because peers differ in where they look; a client adds
 * them to its `connect` object (`canEncode`).
 */
export function enhancedRtmpProperties(role: 'server' | 'client'): Amf0Object {
  const bits = role === 'server' ? FourCcInfo.canForward : FourCcInfo.canEncode;
  const map = (fourCcs: readonly string[]): Amf0Object => Object.fromEntries(fourCcs.map((fourCc) => [fourCc, bits]));
  return {
    fourCcList: [...VIDEO_FOURCC, ...AUDIO_FOURCC],
    videoFourCcInfoMap: map(VIDEO_FOURCC),
    audioFourCcInfoMap: map(AUDIO_FOURCC),
    capsEx: 0,
  };
}

/** True when the peer says that it takes this codec: by name or by `*`. Without Enhanced RTMP only AVC and AAC are sure. */
export function acceptsFourCc(enhanced: EnhancedRtmp | null, fourCc: 'avc1' | 'hvc1' | 'mp4a'): boolean {
  if (enhanced === null) return fourCc !== 'hvc1';
  const map = fourCc === 'mp4a' ? enhanced.audio : enhanced.video;
  const bits = map.get('*') ?? map.get(fourCc) ?? 0;
  return (bits & (FourCcInfo.canDecode | FourCcInfo.canForward)) !== 0;
}

function asObject(value: Amf0Value): Amf0Object {
  if (value instanceof Amf0EcmaArray) return value.entries;
  if (typeof value !== 'object' || value === null || value instanceof Date || Array.isArray(value)) return {};
  return value as Amf0Object;
}

function text(value: Amf0Value): string {
  return typeof value === 'string' ? value.slice(0, TEXT_CHARS_MAX) : '';
}

function isFourCc(value: Amf0Value): value is string {
  return typeof value === 'string' && value.length > 0 && value.length <= FOURCC_CHARS_MAX;
}

function fourCcsOf(value: Amf0Value): string[] {
  return Array.isArray(value) ? (value as readonly Amf0Value[]).filter(isFourCc).slice(0, FOURCC_MAX) : [];
}

function entriesOf(value: Amf0Value): [string, number][] {
  const numbers = Object.entries(asObject(value)).filter(
    (entry): entry is [string, number] => isFourCc(entry[0]) && typeof entry[1] === 'number',
  );
  return numbers.slice(0, FOURCC_MAX);
}

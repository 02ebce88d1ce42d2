/** Formats of the video plane: bytes in, values out. No sockets, clocks or logs; nothing here needs Node. */
export { AAC_FRAME_SAMPLES, type AacConfig, parseAacConfig } from './aac-config.ts';
export {
  AMF0_DEPTH_MAX,
  AMF0_ELEMENTS_MAX,
  Amf0EcmaArray,
  type Amf0Object,
  type Amf0Value,
  decodeAmf0,
  decodeAmf0All,
  encodeAmf0,
} from './amf0.ts';
export { type AvcConfig, parseAvcConfig } from './avc-config.ts';
export { AvcNalType, iterateAvcNals, prefixAvcNal } from './avc-nal.ts';
export { type AvcSps, parseAvcSps } from './avc-sps.ts';
export { concatBytes } from './byte-order.ts';
export { addEmulationPrevention, removeEmulationPrevention } from './emulation-prevention.ts';
export { FlvDemuxer, type FlvHeader } from './flv-demuxer.ts';
export {
  type FlvAudioCodec,
  type FlvAudioHeader,
  type FlvPayloadForm,
  type FlvVideoCodec,
  type FlvVideoHeader,
  type MediaPacketKind,
  readFlvAudioHeader,
  readFlvVideoHeader,
  refusalOfFlvAudio,
  refusalOfFlvVideo,
} from './flv-media-header.ts';
export {
  canonicalFlvAudio,
  canonicalFlvVideo,
  encodeFlvAac,
  encodeFlvVideo,
  type FlvVideoPacket,
} from './flv-media-payload.ts';
export {
  encodeFlvHeader,
  encodeFlvTag,
  FLV_PAYLOAD_BYTES_MAX,
  FLV_TAG_OVERHEAD_BYTES,
  type FlvTag,
  FlvTagType,
  type FlvTagTypeId,
  writeFlvTag,
} from './flv-tag.ts';
export {
  encodeFmp4Fragment,
  type Fmp4Fragment,
  type Fmp4ReferenceTime,
  type Fmp4Sample,
  type Fmp4TrackRun,
} from './fmp4-fragment.ts';
export { encodeFmp4Init, type Fmp4InitOptions, type Fmp4Track } from './fmp4-init.ts';
export { encodeFmp4RandomAccess, type Fmp4AccessPoint } from './fmp4-random-access.ts';
export {
  type Fmp4RunFacts,
  type Fmp4TrackFacts,
  type Mp4BoxHeader,
  readFmp4Runs,
  readFmp4Tracks,
  readMp4BoxHeader,
  setFmp4Duration,
} from './fmp4-reader.ts';
export { FormatError, type FormatErrorDetails } from './format-error.ts';
export { HEVC_CONFIG_NALS_MAX, type HevcConfig, parseHevcConfig } from './hevc-config.ts';
export { HevcNalType } from './hevc-nal.ts';
export { type HevcProfile, hevcCodecString } from './hevc-profile.ts';
export { type HevcSps, parseHevcSps } from './hevc-sps.ts';
export {
  encodeMediaPlaylist,
  encodeMultivariantPlaylist,
  type MediaPlaylist,
  type MultivariantPlaylist,
  type PlaylistPart,
  type PlaylistSegment,
  type PlaylistSegmentStart,
  type PlaylistVariant,
} from './m3u8.ts';
export {
  iterateNals,
  NAL_UNITS_MAX,
  type NalCodec,
  type NalLengthSize,
  type NalUnit,
  prefixNal,
  readNalsBeforePicture,
} from './nal-unit.ts';
export { RTMP_AGGREGATE_MESSAGES_MAX, splitRtmpAggregate } from './rtmp-aggregate.ts';
export { RTMP_READER_LIMITS, RtmpChunkReader, type RtmpReaderLimits } from './rtmp-chunk-reader.ts';
export { RtmpChunkWriter } from './rtmp-chunk-writer.ts';
export { amf0BodyOffset, decodeRtmpCommand, encodeRtmpCommand, type RtmpCommand } from './rtmp-command.ts';
export {
  acceptsFourCc,
  type EnhancedRtmp,
  enhancedRtmpProperties,
  FourCcInfo,
  RtmpCapsEx,
  type RtmpConnect,
  readEnhancedRtmp,
  readRtmpConnect,
} from './rtmp-connect.ts';
export {
  answerRtmpHandshake,
  finishRtmpHandshake,
  RTMP_C0C1_BYTES,
  RTMP_C2_BYTES,
  RTMP_S0S1S2_BYTES,
  startRtmpHandshake,
} from './rtmp-handshake.ts';
export {
  acknowledgement,
  type RtmpMessage,
  RtmpMessageType,
  RtmpUserControl,
  readControlArgument,
  setPeerBandwidth,
  userControl,
  windowAcknowledgementSize,
} from './rtmp-message.ts';
export { insertUserDataSei, insertUserDataSeiAt, iterateSeiMessages, readUserDataSei, type SeiMessage } from './sei.ts';
export {
  CAPTURE_TIME_SEI_UUID,
  decodeWallClockSei,
  encodeWallClockSei,
  INGEST_TIME_SEI_UUID,
} from './wall-clock-sei.ts';

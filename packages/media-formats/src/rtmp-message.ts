/** RTMP messages: type ids, user control events and the protocol control payloads. Spec: Adobe RTMP 1.0, 5.4 and 7.1. */
import { readUint32, writeUint32 } from './byte-order.ts';

/** Message type ids (section 7.1 and 5.4). */
export const RtmpMessageType = {
  setChunkSize: 1,
  abort: 2,
  acknowledgement: 3,
  userControl: 4,
  windowAcknowledgementSize: 5,
  setPeerBandwidth: 6,
  audio: 8,
  video: 9,
  dataAmf3: 15,
  commandAmf3: 17,
  dataAmf0: 18,
  commandAmf0: 20,
  aggregate: 22,
} as const;

/** User control event types (section 7.1.7). */
export const RtmpUserControl = { streamBegin: 0, streamEof: 1, pingRequest: 6, pingResponse: 7 } as const;

/** One whole RTMP message. `payload` belongs to the receiver and is never written to again. */
export type RtmpMessage = Readonly<{
  /** 2 is protocol control; writers pick 3 for commands, 4 for audio, 6 for video. */
  chunkStreamId: number;
  typeId: number;
  messageStreamId: number;
  /** Milliseconds, 32 bits, wraps after 49.7 days. */
  timestampMs: number;
  payload: Uint8Array;
}>;

const CONTROL_CHUNK_STREAM = 2;

function control(typeId: number, payload: Uint8Array): RtmpMessage {
  return { chunkStreamId: CONTROL_CHUNK_STREAM, typeId, messageStreamId: 0, timestampMs: 0, payload };
}

function uint32Payload(value: number, extraBytes = 0): Uint8Array {
  const payload = new Uint8Array(4 + extraBytes);
  writeUint32(payload, 0, value);
  return payload;
}

/** "I have received this many bytes" (sequence number wraps at 2^32). */
export function acknowledgement(receivedBytes: number): RtmpMessage {
  return control(RtmpMessageType.acknowledgement, uint32Payload(receivedBytes >>> 0));
}

/** "Acknowledge after this many bytes". */
export function windowAcknowledgementSize(windowBytes: number): RtmpMessage {
  return control(RtmpMessageType.windowAcknowledgementSize, uint32Payload(windowBytes));
}

/** Peer bandwidth with the dynamic limit type (2). */
export function setPeerBandwidth(windowBytes: number): RtmpMessage {
  const payload = uint32Payload(windowBytes, 1);
  payload[4] = 2;
  return control(RtmpMessageType.setPeerBandwidth, payload);
}

/** A user control event with one 32-bit argument (stream id or ping time). */
export function userControl(eventType: number, argument: number): RtmpMessage {
  const payload = new Uint8Array(6);
  payload[1] = eventType;
  writeUint32(payload, 2, argument);
  return control(RtmpMessageType.userControl, payload);
}

/** Reads the 32-bit argument that acknowledgement, window size and chunk size messages begin with. */
export function readControlArgument(payload: Uint8Array): number {
  return readUint32(payload, 0);
}

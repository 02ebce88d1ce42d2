/** RTMP commands (connect, publish, onStatus …) in AMF0, also inside the AMF3 envelope. Spec: Adobe RTMP 1.0, 7.2. */
import { type Amf0Value, decodeAmf0All, encodeAmf0 } from './amf0.ts';
import { FormatError } from './format-error.ts';
import { type RtmpMessage, RtmpMessageType } from './rtmp-message.ts';

const AMF0_STRING = 2;

/** `args[0]` is the command object (or null), the rest are the command's own arguments. */
export type RtmpCommand = Readonly<{ name: string; transactionId: number; args: readonly Amf0Value[] }>;

/**
 * Where the AMF0 values of a command or data message begin. The AMF3 forms (types 17 and 15) start with a format byte 0
 * and then hold AMF0 values; some peers leave the byte out, their first value is the string that names the command.
 * Throws FormatError('rtmp.amf3_body') for anything else: we tell every peer that we speak AMF0 (`objectEncoding` 0).
 */
export function amf0BodyOffset(message: RtmpMessage): number {
  const isEnvelope = message.typeId === RtmpMessageType.commandAmf3 || message.typeId === RtmpMessageType.dataAmf3;
  const [first] = message.payload;
  if (!isEnvelope || first === AMF0_STRING) return 0;
  if (first === 0) return 1;
  throw new FormatError('rtmp.amf3_body', { typeId: message.typeId });
}

/** Reads a command message of type 20 or 17. Throws FormatError. */
export function decodeRtmpCommand(message: RtmpMessage): RtmpCommand {
  const [name, transactionId, ...args] = decodeAmf0All(message.payload, amf0BodyOffset(message));
  if (typeof name !== 'string') throw new FormatError('rtmp.command_shape', { typeId: message.typeId });
  // ffmpeg's server says `onFCPublish` and nothing else.
  return { name, transactionId: typeof transactionId === 'number' ? transactionId : 0, args };
}

/** Encodes a command as an AMF0 message on chunk stream 3. */
export function encodeRtmpCommand(command: RtmpCommand, messageStreamId = 0): RtmpMessage {
  return {
    chunkStreamId: 3,
    typeId: RtmpMessageType.commandAmf0,
    messageStreamId,
    timestampMs: 0,
    payload: encodeAmf0(command.name, command.transactionId, ...command.args),
  };
}

/** RTMP commands (connect, publish, onStatus …) in AMF0, also inside the AMF3 envelope. Spec: Adobe RTMP 1.0, 7.2. */
import { type Amf0Value, decodeAmf0All, encodeAmf0 } from './amf0.ts';
import { FormatError } from './format-error.ts';
import { type RtmpMessage, RtmpMessageType } from './rtmp-message.ts';

/** `args[0]` is the command object (or null), the rest are the command's own arguments. */
export type RtmpCommand = Readonly<{ name: string; transactionId: number; args: readonly Amf0Value[] }>;

/**
 * Reads a command message of type 20 or 17. Type 17 starts with a format byte; every encoder in use then sends AMF0.
 * Throws FormatError.
 */
export function decodeRtmpCommand(message: RtmpMessage): RtmpCommand {
  const hasEnvelope = message.typeId === RtmpMessageType.commandAmf3 && message.payload[0] === 0;
  const [name, transactionId, ...args] = decodeAmf0All(message.payload, hasEnvelope ? 1 : 0);
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

/** Realtime plane: rooms, chat, presence and live events over Socket.IO. Calls no other process. */
export type { ChatPolicy } from './chat/chat-namespace.ts';
export type { Identity } from './identity/identity.ts';
export {
  CHAT_RETENTION_DAYS,
  CONNECTIONS_MAX,
  CONNECTIONS_PER_ADDRESS_MAX,
  type RealtimeOptions,
  type RealtimePlane,
  startRealtimePlane,
} from './realtime-plane.ts';
export { trustedProxies } from './transport/client-address.ts';

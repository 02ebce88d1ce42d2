/** Everything that crosses a process boundary: schema, type and version. Version 1 grows additively. */

export { ACCESS_TOKEN, ROLES, ROOM_TOKEN, Role, RoomClaims, RoomToken, Session, SessionUser } from './accounts.ts';
export {
  Currency,
  FeaturedProduct,
  ProductCard,
  ProductVariant,
  SHOW_STATUSES,
  ShowDetail,
  ShowList,
  ShowStatus,
  ShowSummary,
} from './catalog.ts';
export { ClientConfig } from './client-config.ts';
export { PlaybackId, Uuid, WallMs } from './ids.ts';
export {
  LIVE_EVENT_BYTES_MAX,
  LIVE_EVENTS_PATH,
  LiveEvent,
  type LiveEventType,
  ProductDeleted,
  ProductPinned,
  ProductUnpinned,
  ProductUpserted,
  PublisherRefused,
  ShowChanged,
  StockChanged,
  StreamEvent,
} from './live-events.ts';
export {
  MEDIA_HOOK_ACTIONS,
  MediaHeartbeat,
  type MediaHookAction,
  MediaHookAnswer,
  MediaHookRequest,
  RESTREAM_TARGETS_MAX,
  RestreamTarget,
} from './media-hooks.ts';
export { Problem, REASONS, type Reason } from './problem.ts';
export {
  NewRestreamTarget,
  RESTREAM_STATES,
  RESTREAM_TARGETS_PER_SHOW_MAX,
  RestreamPlan,
  RestreamState,
  RestreamStateChanged,
  RestreamTargetList,
  RestreamTargetPatch,
  RestreamTargetView,
} from './restream.ts';
export {
  NewProduct,
  NewShow,
  PinProduct,
  ProductPatch,
  ShowPatch,
  StockAdjustment,
  StreamKey,
} from './selling.ts';
export { SessionRevoked } from './session-events.ts';
export { AddCartLine, Cart, CartLine, Checkout, ORDER_STATUSES, Order, OrderLine, OrderStatus } from './shopping.ts';
export {
  type Ack,
  CHAT_HISTORY_MAX,
  CHAT_MESSAGE_CHARS_MAX,
  type ChatClientEvents,
  ChatCursor,
  ChatJoin,
  type ChatJoined,
  type ChatMessage,
  ChatSend,
  type ChatSent,
  type ChatServerEvents,
  type Refused,
  RoomJoin,
  type RootClientEvents,
  type RootServerEvents,
  SocketAuth,
  type StreamingClientEvents,
  type StreamingServerEvents,
  type StreamState,
  type ViewerJoined,
} from './socket-messages.ts';

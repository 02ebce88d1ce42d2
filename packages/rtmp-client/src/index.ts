/** RTMP publish client: a connection that sends tags, and a loop that keeps a clip on air. */
export { type FlvLoop, type LoopFrame, readFlvLoop } from './flv-loop.ts';
export {
  type PublishLoopOptions,
  type PublishLoopState,
  type PublishLoopStats,
  publishFlvLoop,
} from './publish-flv-loop.ts';
export { describeRefusal, type PublishRefusal, type PublishRejection } from './publish-result.ts';
export { parsePublishUrl, type RtmpPublishTarget, withStreamKey } from './publish-url.ts';
export {
  connectRtmpPublisher,
  RtmpPublisher,
  type RtmpPublisherOptions,
  type RtmpPublisherStats,
} from './rtmp-publisher.ts';

/**
 * Options of Node for the media server's process. V8 lets the room for young objects grow to 64 MB under load and gives it back only when
 * a process falls idle, so memory of a server whose viewers come and go seems to grow for minutes. What the media server allocates per
 * packet and request is dead at the next collection, however soon that is: 4 MB (two halves) cost it no time that can be measured,
 * and make collections with thousands of requests waiting short ones.
 */
export const MEDIA_NODE_OPTIONS: readonly string[] = ['--max-semi-space-size=4'];

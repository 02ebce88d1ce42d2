/** hls.js without what we do not use (alternate audio, subtitles, DRM): a third smaller, the same types; the package has none for it. */
declare module 'hls.js/light' {
  export { default, type ErrorData, ErrorDetails, Events } from 'hls.js';
}

/**
 * Limit of one chat message, equal to the protocol's (a test holds it): repeated here so that the page does not load
 * the schema library for one number.
 */
export const MESSAGE_CHARS_MAX = 500;
/** From here on the composer shows how much room is left. */
export const MESSAGE_CHARS_WARN = 400;

/** Control characters (C0, DEL, C1) other than the white space that becomes a blank. */
const CONTROLS = /(?!\s)\p{Cc}/gu;
/** Marks that turn the direction of the text after them: they let a message dress up as another one. */
const DIRECTION_MARKS = /[\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff]/g;
const WHITE_SPACE = /\s+/g;

/**
 * Text of a chat message or a name as it is stored and shown: one line, trimmed, without control characters and
 * direction marks, well-formed Unicode. Markup is left alone: clients render text nodes (bar S6). May be empty.
 */
export function cleanText(text: string): string {
  return text.toWellFormed().replace(CONTROLS, '').replace(DIRECTION_MARKS, '').replace(WHITE_SPACE, ' ').trim();
}

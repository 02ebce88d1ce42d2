import { asProblem } from '../api/http.ts';

/**
 * What the last answer about a show means for its page. Missing ends the page, video and chat with it, so only the shop's
 * own word counts, and only while nothing was loaded: everything else is a shop that is away.
 */
export function showAnswer(
  error: unknown,
  isLoaded: boolean,
): { readonly isMissing: boolean; readonly isDown: boolean } {
  if (error === null) return { isMissing: false, isDown: false };
  const { status, reason } = asProblem(error);
  const isMissing = !isLoaded && status === 404 && reason === 'not_found';
  return { isMissing, isDown: !isMissing };
}

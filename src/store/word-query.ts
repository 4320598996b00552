/** Most words of one search; more are not looked at. */
const MAX_WORDS = 32;

/**
 * What a user typed as an FTS5 query: every word quoted, so that `OR`, `*`, `"` and column names
 * are words and never syntax; all must occur, the last may be a beginning. Empty where there is no word.
 *
 * @see https://www.sqlite.org/fts5.html#fts5_strings
 */
export function wordQuery(text: string): string {
  const words = wholeWordQuery(text);
  return words === '' ? '' : `${words}*`;
}

/** The same with the last word as it stands. */
export function wholeWordQuery(text: string): string {
  const words = text.match(/[\p{L}\p{N}\p{M}_]+/gu)?.slice(0, MAX_WORDS) ?? [];
  return words.map((word) => `"${word}"`).join(' ');
}

/** A list of words as a pattern of RE2 syntax. */

/**
 * Meets each of the words where it stands by itself; of two that begin together the longer one.
 *
 * @param ignoreCase capitals and small letters make no difference
 * @see https://github.com/google/re2/wiki/Syntax
 */
export function wordListPattern(words: readonly string[], ignoreCase: boolean): string {
  const longestFirst = [...new Set(words)].sort((a, b) => b.length - a.length || (a < b ? -1 : 1));
  const only = longestFirst.length === 1 && !ignoreCase;
  const alternatives = longestFirst.map(bounded).join('|');
  return only ? alternatives : `${ignoreCase ? '(?i)' : ''}(?:${alternatives})`;
}

/** RE2 knows edges of ASCII words alone: a word that begins or ends with another sign has no edge there. */
function bounded(word: string): string {
  const [before, after] = [/^\w/.test(word) ? '\\b' : '', /\w$/.test(word) ? '\\b' : ''];
  return `${before}${word.replaceAll(/[\\^$.*+?()[\]{}|]/g, '\\$&')}${after}`;
}

import { Respelled } from './respelled.js';
import { nextSpelling } from './spellings.js';

/** What has to be there for a text to be read in another way than it is written; says yes too often. */
const MAYBE =
  // eslint-disable-next-line no-control-regex -- what no reader sees
  /[\0-\x08\x0b\x0c\x0e-\x1f\x7f\u00a0\u00ad\u00b2-\u00b9\u0300-\u036f\u0660-\uffef]|\\[ux]|&(?:#|\w+;|nbsp|shy)|%[0-9a-f]{2}/i;
/** Spaces that are none of ASCII. */
const SPACES = /[\u00a0\u2000-\u200a\u202f\u205f\u3000]/g;
// eslint-disable-next-line no-control-regex -- what no reader sees
const CONTROLS = /[\0-\x08\x0b\x0c\x0e-\x1f\x7f]/g;
/** ASCII once more, from U+E0020 on: people see nothing of it, models read it. */
const TAGS = /[\u{e0020}-\u{e007e}]/gu;
const TAG_OF_ZERO = 0xe0000;
const BETWEEN_WORDS = /[^\p{L}\p{N}]+/gu;

/**
 * The text as readers take it, where its words are written in another way: with signs that are not seen in them, in
 * full-width or mathematical letters, with references or escapes, with other spaces between them. Letters of Unicode's tags
 * are both: not seen, and behind that, on a line of its own, as the letters that they stand for.
 *
 * @returns undefined where the words are the same
 */
export function plainSpelling(text: string): string | undefined {
  if (!MAYBE.test(text)) return undefined;
  const spaced = text.replace(SPACES, ' ').replace(CONTROLS, '');
  const plain = respelled(spaced);
  const untagged = spaced.replace(TAGS, (tag) => String.fromCodePoint((tag.codePointAt(0) ?? 0) - TAG_OF_ZERO));
  if (untagged !== spaced) return `${plain}\n${respelled(untagged)}`;
  return spaced === text && wordsOf(plain) === wordsOf(text) ? undefined : plain;
}

function respelled(text: string): string {
  const bytes = new TextEncoder().encode(text);
  if (nextSpelling(bytes, 0, bytes.length, true) === bytes.length) return text;
  const read = new Respelled(0);
  read.take(bytes, 0, bytes.length, true);
  return new TextDecoder('utf-8', { ignoreBOM: true }).decode(read.bytes.subarray(0, read.end));
}

function wordsOf(text: string): string {
  return text.replace(BETWEEN_WORDS, ' ');
}

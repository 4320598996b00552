/**
 * A plan shows the constants of its statement: where values stand in it that the client has only pseudonyms of, the
 * pseudonyms are put back before it sees the plan.
 *
 * @see https://www.postgresql.org/docs/current/using-explain.html
 */

/** A value that was put in the place of its pseudonym. */
export interface Swap {
  readonly original: string;
  readonly pseudonym: string;
}

const NUMBER = /^-?\d+(?:\.\d+)?$/;
const DATE = /^(\d{4})-(\d\d)-(\d\d)$/;

/** A plan in text form has its lines in rows of their own: a value must not be cut by that. */
export function canBeShown(original: string): boolean {
  // eslint-disable-next-line no-control-regex -- they are what is meant
  return !/[\x00-\x1f\x7f]/.test(original);
}

/**
 * The text with the pseudonyms in it, byte for byte: works on any encoding that has ASCII in it.
 *
 * @param cell each byte as one character, as the originals and pseudonyms are too
 * @returns undefined where something of a value may still be in it
 */
export function withPseudonyms(cell: string, swaps: readonly Swap[]): string | undefined {
  const forms = new Map<string, string>();
  for (const swap of swaps) for (const [from, to] of formsOf(swap)) forms.set(from, to);
  const inOrder = [...forms.keys()].sort((left, right) => right.length - left.length);
  const pattern = inOrder.map((form) => (NUMBER.test(form) ? numberAlone(form) : escaped(form))).join('|');
  const shown = cell.replace(new RegExp(pattern, 'g'), (found) => forms.get(found) ?? found);
  return swaps.some((swap) => remains(shown, swap)) ? undefined : shown;
}

/** In conditions and arrays, not in `rows=99`. */
function numberAlone(number: string): string {
  return `(?<=[ '{,(])${escaped(number)}(?=[ '},):])`;
}

function escaped(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|/-]/g, '\\$&');
}

/** How the server may spell a value: in other letters where a condition folds them, in another style of dates. */
function formsOf({ original, pseudonym }: Swap): readonly (readonly [string, string])[] {
  const spelled = [(text: string) => text, (text: string) => text.toLowerCase(), (text: string) => text.toUpperCase()];
  const pairs = [...spelled, ...DATE_STYLES].map((style) => [style(original), style(pseudonym)] as const);
  return pairs.flatMap(([from, to]) =>
    IN_ARRAYS.flatMap((inArray) =>
      IN_QUOTES.flatMap((inQuotes) =>
        IN_DOCUMENTS.map((inDocument) => {
          const write = (text: string): string => inDocument(inQuotes(inArray(text)));
          return [write(from), write(to)] as const;
        }),
      ),
    ),
  );
}

const dated = (by: string) => (text: string) => text.replace(DATE, by);
const DATE_STYLES = ['$2/$3/$1', '$3/$2/$1', '$3.$2.$1', '$2-$3-$1', '$3-$2-$1'].map(dated);

type Spelling = (text: string) => string;
const asIs: Spelling = (text) => text;
const doubled: Spelling = (text) => text.replaceAll("'", "''");
const IN_ARRAYS: readonly Spelling[] = [asIs, (text) => text.replace(/["\\]/g, '\\$&')];
/** By the setting of standard_conforming_strings. */
const IN_QUOTES: readonly Spelling[] = [asIs, doubled, (text) => doubled(text).replaceAll('\\', '\\\\')];
/** EXPLAIN in text, in JSON or YAML, in XML. */
const IN_DOCUMENTS: readonly Spelling[] = [
  asIs,
  (text) => text.replace(/["\\]/g, '\\$&'),
  (text) => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;'),
];

/** In a spelling that is not known? What a number could be taken for stands in every plan. */
function remains(shown: string, { original, pseudonym }: Swap): boolean {
  if (NUMBER.test(original) || original === pseudonym) return false;
  const bare = bareOf(original);
  return bare.length > 2 && bareOf(shown.replaceAll(pseudonym, '')).includes(bare);
}

function bareOf(text: string): string {
  return text.replace(/&(?:amp|lt|gt|quot|apos|#39);|[\\'"&<>]/g, '').toLowerCase();
}

import type { MaskCounts } from '../../../core/mask.js';
import { BodyReader } from '../wire/frames.js';
import { fieldsMessage } from '../wire/messages.js';
import { clientPosition, type Edit } from '../originals/rewrite-text.js';
import { maskFreeText } from '../values/free-text.js';
import type { ValueMasker } from '../values/value-masker.js';

/**
 * May a report quote values of masked columns? `any`: the statement touches some; `named`: only what the server's
 * own messages are known to quote is taken out, since something unseen may run beside.
 */
export type QuotedColumns = 'none' | 'named' | 'any';

export interface ServerReport {
  readonly severity: string;
  readonly code: string;
  readonly message: string;
  /** It points to a place in the text of the statement. */
  readonly positioned: boolean;
}

/**
 * Reads and masks an ErrorResponse or NoticeResponse. Every field is masked by entity, and where columns are masked the values that
 * the server quotes from a row are taken out whole, since nothing tells which column they are of.
 *
 * @param edits where the statement that the server speaks of differs from the client's: it may quote what stands there
 * @returns the message itself when nothing changed; undefined when it is malformed
 */
export function maskReport(
  message: Uint8Array,
  masker: ValueMasker | undefined,
  quoted: QuotedColumns,
  counts: MaskCounts,
  edits?: readonly Edit[],
): { readonly bytes: Uint8Array; readonly report: ServerReport } | undefined {
  const fields: (readonly [number, string])[] = [];
  const reader = new BodyReader(message);
  for (;;) {
    const letter = reader.byte();
    if (letter === 0 || reader.failed) break;
    fields.push([letter, reader.cstring()]);
  }
  if (reader.failed || reader.remaining > 0) return undefined;
  const hides = quoted === 'any' || edits !== undefined ? hiddenFields(fields, edits !== undefined) : '';
  let changed = false;
  fields.forEach(([letter, text], at) => {
    const shown = hides.includes(String.fromCharCode(letter)) ? HIDDEN : placed(letter, text, edits);
    const masked = maskField(shown, masker, quoted !== 'none', counts);
    changed ||= masked !== text;
    fields[at] = [letter, masked];
  });
  const field = (letter: string): string => fieldOf(fields, letter);
  return {
    bytes: changed ? fieldsMessage(message[0] as number, fields) : message,
    report: {
      severity: field('V') || field('S'),
      code: field('C'),
      message: field('M'),
      positioned: field('P') !== '',
    },
  };
}

/** The position as it is in the client's text. */
function placed(letter: number, text: string, edits: readonly Edit[] = []): string {
  return letter === POSITION && edits.length > 0 ? String(clientPosition(Number(text), edits)) : text;
}

const POSITION = 0x50;
const HIDDEN = '[masked]';

/**
 * What the server may quote of values. Messages of these classes name objects, states and limits alone, and one
 * with a position speaks of the text of the statement: 21 cardinality, 23 constraints, 25 transactions, 28 sign-in,
 * 40 rollback, 53 resources, 55 object state, 57 operator, 42501 rights; and what DDL says of objects and types: 0A000 what
 * can't be done, 22001 too long for a type, 2BP01 what depends on it, 42701, 42710, 42P07 what is there already.
 *
 * @see https://www.postgresql.org/docs/current/errcodes-appendix.html
 */
function hiddenFields(fields: readonly (readonly [number, string])[], rewritten: boolean): string {
  const code = fieldOf(fields, 'C');
  const positioned = fieldOf(fields, 'P') !== '' && (!rewritten || code.startsWith('42'));
  const names = positioned || /^(?:21|23|25|28|40|53|55|57|42501|0A000|22001|2BP01|42701|42710|42P07)/.test(code);
  // Detail, hint, context, internal query; and the message, which PL/pgSQL's RAISE can make of anything.
  if (!names) return 'MDHWq';
  // `Key (…)=(…)` has its values taken out below, and the names in it stay.
  return code.startsWith('23') && /^[^(]*\([^)]*\)=\(/.test(fieldOf(fields, 'D')) ? 'Wq' : 'DWq';
}

function fieldOf(fields: readonly (readonly [number, string])[], letter: string): string {
  return fields.find(([known]) => known === letter.charCodeAt(0))?.[1] ?? '';
}

function maskField(text: string, masker: ValueMasker | undefined, columnsMasked: boolean, counts: MaskCounts): string {
  const quoted = columnsMasked ? takeOutRowValues(text) : text;
  return masker === undefined ? quoted : maskFreeText(quoted, masker, counts);
}

/** `Key (ssn)=(123)`, a COPY's `column ssn: "123"` and `Failing row contains (1, 123)`, in the server's own words; translated messages are cut alike by `)=(`. */
function takeOutRowValues(text: string): string {
  return text
    .replace(/\)=\([\s\S]*\)/g, ')=([masked])')
    .replace(/(Failing row contains )\([\s\S]*\)/g, '$1([masked])')
    .replace(/(, column [^:]*: )"[\s\S]*"/g, '$1"[masked]"')
    .replace(/(invalid input (?:syntax|value) for [^:]*: )"[\s\S]*"/g, '$1"[masked]"');
}

import type { MaskCounts } from '../../core/mask.js';
import { BodyReader } from './frames.js';
import { fieldsMessage } from './messages.js';
import { maskFreeText } from './values/free-text.js';
import type { ValueMasker } from './values/value-masker.js';

export interface ServerReport {
  readonly severity: string;
  readonly code: string;
  readonly message: string;
}

/**
 * Reads and masks an ErrorResponse or NoticeResponse. Every field is masked by entity, and where columns are masked the values that
 * the server quotes from a row are taken out whole, since nothing tells which column they are of.
 *
 * @returns the message itself when nothing changed; undefined when it is malformed
 */
export function maskReport(
  message: Uint8Array,
  masker: ValueMasker | undefined,
  columnsMasked: boolean,
  counts: MaskCounts,
): { readonly bytes: Uint8Array; readonly report: ServerReport } | undefined {
  const fields: (readonly [number, string])[] = [];
  const reader = new BodyReader(message);
  let changed = false;
  for (;;) {
    const letter = reader.byte();
    if (letter === 0 || reader.failed) break;
    const text = reader.cstring();
    const masked = maskField(text, masker, columnsMasked, counts);
    changed ||= masked !== text;
    fields.push([letter, masked]);
  }
  if (reader.failed || reader.remaining > 0) return undefined;
  const field = (letter: string): string => fields.find(([known]) => known === letter.charCodeAt(0))?.[1] ?? '';
  return {
    bytes: changed ? fieldsMessage(message[0] as number, fields) : message,
    report: { severity: field('V') || field('S'), code: field('C'), message: field('M') },
  };
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

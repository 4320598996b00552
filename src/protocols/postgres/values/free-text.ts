import type { MaskCounts } from '../../../core/mask.js';
import { TextForms } from './text-forms.js';
import { mayHide } from './loose-text.js';
import { MASKED } from './text-structure.js';
import type { ValueMasker } from './value-masker.js';

/**
 * Masks what the server says outside of rows: fields of errors and notices, payloads of notifications. Such
 * text quotes values of any type in their text form.
 */
export function maskFreeText(text: string, values: ValueMasker, counts: MaskCounts): string {
  const bytes = new TextEncoder().encode(text);
  if (!mayHide(bytes, 0, bytes.length)) return values.maskText(text, counts);
  const masked = new TextForms(values, undefined).free(bytes, counts);
  if (masked === undefined) return text;
  return masked === null
    ? inPlaceOfNull(text, values, counts)
    : new TextDecoder('utf-8', { ignoreBOM: true }).decode(masked);
}

/** There is no NULL here: what is found is taken out, and where something may hide still, everything. */
function inPlaceOfNull(text: string, values: ValueMasker, counts: MaskCounts): string {
  const masked = values.maskText(text, new Map());
  const bytes = new TextEncoder().encode(masked);
  const more = new TextForms(values, undefined).free(bytes, counts);
  return more === undefined ? masked : new TextDecoder().decode(more ?? MASKED);
}

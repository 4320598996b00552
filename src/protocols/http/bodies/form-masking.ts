import type { Target } from '../target.js';
import { escapedBytes, formDecoded } from './form-text.js';

type MaskText = (text: string) => string;

/**
 * Masks the names and values of a form or query, decoded (`application/x-www-form-urlencoded`). What is not changed
 * keeps its bytes; what is, is encoded anew.
 */
export function maskForm(form: string, mask: MaskText): string {
  return form.replace(/([^&=]*)(=?)([^&]*)/g, (_pair, name: string, sign: string, value: string) => {
    return maskPart(name, mask) + sign + maskPart(value, mask);
  });
}

/** Masks the segments of a path and the query, decoded, for a record: what is not changed keeps its bytes. */
export function maskTarget({ path, query }: Target, mask: MaskText): string {
  const masked = path.replace(/[^/]+/g, (segment) => {
    const text = new TextDecoder('utf-8', { ignoreBOM: true }).decode(escapedBytes(segment));
    const shown = mask(text);
    return shown === text ? segment : formEncoded(shown).replaceAll('+', '%20');
  });
  return query === '' ? masked : `${masked}?${maskForm(query, mask)}`;
}

function maskPart(part: string, mask: MaskText): string {
  if (part === '') return part;
  const text = formDecoded(part);
  const masked = mask(text);
  return masked === text ? part : formEncoded(masked);
}

/** @see https://url.spec.whatwg.org/#application-x-www-form-urlencoded-percent-encode-set */
function formEncoded(text: string): string {
  return Array.from(new TextEncoder().encode(text), (byte) => {
    const sign = String.fromCharCode(byte);
    if (sign === ' ') return '+';
    return /[A-Za-z0-9*\-._]/.test(sign) ? sign : `%${byte.toString(16).toUpperCase().padStart(2, '0')}`;
  }).join('');
}

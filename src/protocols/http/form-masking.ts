import { formDecoded } from './form-text.js';

/**
 * Masks the names and values of a form or query, decoded (`application/x-www-form-urlencoded`). What is not changed
 * keeps its bytes; what is, is encoded anew.
 */
export function maskForm(form: string, mask: (text: string) => string): string {
  return form.replace(/([^&=]*)(=?)([^&]*)/g, (_pair, name: string, sign: string, value: string) => {
    return maskPart(name, mask) + sign + maskPart(value, mask);
  });
}

function maskPart(part: string, mask: (text: string) => string): string {
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

import { concatBytes } from '../../../core/bytes.js';
import type { BodyPart, Span } from './multipart.js';

/**
 * Masks the texts and the names of files of a form in parts; what is not changed keeps its bytes.
 *
 * @returns the bytes themselves where nothing changes
 */
export function maskParts(bytes: Uint8Array, parts: readonly BodyPart[], mask: (text: string) => string): Uint8Array {
  const encoder = new TextEncoder();
  const out: Uint8Array[] = [];
  let at = 0;
  const replace = (span: Span, text: Uint8Array): void => {
    out.push(bytes.subarray(at, span.from), text);
    at = span.to;
  };
  for (const { content, fileName, fileNameAt, lengthAt, at: place } of parts) {
    const text = 'text' in content ? content.text : '';
    const masked = mask(text);
    const told = encoder.encode(masked);
    // Headers come in any order.
    const changes: [Span, Uint8Array][] = [];
    const named = fileName === undefined ? fileName : mask(fileName);
    if (named !== undefined && fileNameAt !== undefined && named !== fileName)
      changes.push([fileNameAt, encoder.encode(quotable(named))]);
    if (masked !== text) {
      if (lengthAt !== undefined) changes.push([lengthAt, encoder.encode(String(told.length))]);
      changes.push([place, told]);
    }
    for (const [span, bytesThere] of changes.sort(([one], [other]) => one.from - other.from)) replace(span, bytesThere);
  }
  return at === 0 ? bytes : concatBytes([...out, bytes.subarray(at)]);
}

/** As browsers write it. @see https://html.spec.whatwg.org/multipage/form-control-infrastructure.html#multipart-form-data */
function quotable(name: string): string {
  return name.replaceAll('"', '%22').replaceAll('\r', '%0D').replaceAll('\n', '%0A').replaceAll('\\', '%5C');
}

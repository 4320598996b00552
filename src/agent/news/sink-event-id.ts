import { createHash } from 'node:crypto';

/**
 * What an event is called: the same whenever it is told of the same thing, so that a receiver knows an event that comes
 * again after a crash. A UUID of version 8, from the SHA-256 of what it is about.
 *
 * @see https://www.rfc-editor.org/rfc/rfc9562#section-5.8
 */
export function sinkEventId(...about: readonly (string | number)[]): string {
  const bytes = createHash('sha256').update(JSON.stringify(about)).digest().subarray(0, 16);
  bytes[6] = ((bytes[6] as number) & 0x0f) | 0x80;
  bytes[8] = ((bytes[8] as number) & 0x3f) | 0x80;
  const hex = bytes.toString('hex');
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-');
}

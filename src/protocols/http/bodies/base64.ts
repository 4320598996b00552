const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';

const VALUES = new Map<string, number>([
  ...Array.from(ALPHABET, (sign, value) => [sign, value] as const),
  ['-', 62],
  ['_', 63],
]);

/** Base64 with padding (RFC 4648 section 4). */
export function base64Text(bytes: Uint8Array): string {
  const groups: string[] = [];
  for (let at = 0; at < bytes.length; at += 3) {
    const count = Math.min(3, bytes.length - at);
    const bits = ((bytes[at] as number) << 16) | ((bytes[at + 1] ?? 0) << 8) | (bytes[at + 2] ?? 0);
    const signs = [18, 12, 6, 0].map((shift) => ALPHABET.charAt((bits >> shift) & 63)).join('');
    groups.push(signs.slice(0, count + 1) + '='.repeat(3 - count));
  }
  return groups.join('');
}

/** What base64 or base64url stands for, padded or not; undefined where a text is neither. White space between is left out. */
export function base64Bytes(text: string): Uint8Array | undefined {
  const signs = text.replace(/[ \t\r\n]+/g, '').replace(/={0,2}$/, '');
  if (signs.length % 4 === 1) return undefined;
  const bytes = new Uint8Array(Math.floor((signs.length * 3) / 4));
  let bits = 0;
  let held = 0;
  let length = 0;
  for (const sign of signs) {
    const value = VALUES.get(sign);
    if (value === undefined) return undefined;
    bits = ((bits << 6) | value) & 0xffffff;
    held += 6;
    if (held < 8) continue;
    held -= 8;
    bytes[length++] = (bits >> held) & 0xff;
  }
  return bytes;
}

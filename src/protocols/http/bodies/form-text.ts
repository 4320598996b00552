const HEX_PAIR = /^[0-9a-f]{2}$/i;
const PERCENT = 0x25;

/** The text that one name or value of a form or query stands for; bytes that are no UTF-8 become U+FFFD. */
export function formDecoded(text: string): string {
  const spaced = text.includes('+') ? text.replaceAll('+', ' ') : text;
  if (!spaced.includes('%')) return spaced;
  return new TextDecoder('utf-8', { ignoreBOM: true }).decode(escapedBytes(spaced));
}

/** The bytes that a text with percent escapes stands for; what is no escape stands for itself. */
export function escapedBytes(text: string): Uint8Array {
  const bytes = new TextEncoder().encode(text);
  let length = 0;
  for (let at = 0; at < bytes.length; at += 1) {
    const hex = bytes[at] === PERCENT ? String.fromCharCode(...bytes.subarray(at + 1, at + 3)) : '';
    if (HEX_PAIR.test(hex)) {
      bytes[length++] = parseInt(hex, 16);
      at += 2;
    } else bytes[length++] = bytes[at] as number;
  }
  return bytes.subarray(0, length);
}

/** The bytes that a text of `0` and `1` spells, eight characters each; zeros for any other character. */
export function bitBytes(text: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(text.length >> 3);
  for (let at = 0; at < 8 * bytes.length; at += 1) {
    if (text[at] === 0x31) bytes[at >> 3] = (bytes[at >> 3] as number) | (0x80 >> (at & 7));
  }
  return bytes;
}

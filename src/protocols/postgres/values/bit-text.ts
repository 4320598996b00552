/** The bytes that a text of `0` and `1` spells, eight characters each; undefined where there are other characters. */
export function bitBytes(text: Uint8Array): Uint8Array | undefined {
  const bytes = new Uint8Array(text.length >> 3);
  for (let at = 0; at < text.length; at += 1) {
    if (text[at] !== 0x30 && text[at] !== 0x31) return undefined;
    if (text[at] === 0x31 && at >> 3 < bytes.length) bytes[at >> 3] = (bytes[at >> 3] as number) | (0x80 >> (at & 7));
  }
  return bytes;
}

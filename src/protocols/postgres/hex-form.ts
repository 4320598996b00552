/** The bytes that the text form of a bytea spells: `\x` and pairs of hex digits; undefined for anything else. */
export function decodeHex(row: Uint8Array, start: number, end: number): Uint8Array | undefined {
  if (end - start < 2 || row[start] !== 0x5c || row[start + 1] !== 0x78 || (end - start) % 2 !== 0) return undefined;
  const bytes = new Uint8Array((end - start - 2) / 2);
  for (let index = 0; index < bytes.length; index += 1) {
    const value = hexDigit(row[start + 2 + 2 * index] as number) * 16 + hexDigit(row[start + 3 + 2 * index] as number);
    if (Number.isNaN(value)) return undefined;
    bytes[index] = value;
  }
  return bytes;
}

function hexDigit(char: number): number {
  if (char >= 0x30 && char <= 0x39) return char - 0x30;
  const lower = char | 0x20;
  return lower >= 0x61 && lower <= 0x66 ? lower - 0x57 : Number.NaN;
}

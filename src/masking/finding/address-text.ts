/** IP addresses as numbers, and as the text that PostgreSQL and RFC 5952 write. */

/** @returns undefined for anything that is not a dotted quad */
export function parseFour(text: string): bigint | undefined {
  const parts = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})$/.exec(text)?.slice(1).map(Number);
  if (parts === undefined || parts.some((part) => part > 255)) return undefined;
  return parts.reduce((value, part) => (value << 8n) | BigInt(part), 0n);
}

export function formatFour(value: bigint): string {
  return [24n, 16n, 8n, 0n].map((shift) => ((value >> shift) & 255n).toString()).join('.');
}

/** @returns undefined for anything that is not an IPv6 address */
export function parseSix(text: string): bigint | undefined {
  const tail = /^(.*:)(\d+\.\d+\.\d+\.\d+)$/.exec(text);
  const four = tail === null ? undefined : parseFour(tail[2] as string);
  if (tail !== null && four === undefined) return undefined;
  const whole =
    tail === null || four === undefined
      ? text
      : `${tail[1] as string}${(four >> 16n).toString(16)}:${(four & 0xffffn).toString(16)}`;
  const halves = whole.split('::').map((half) => (half === '' ? [] : half.split(':')));
  if (halves.length > 2 || halves.flat().some((group) => !/^[0-9a-f]{1,4}$/i.test(group))) return undefined;
  const [head = [], rest] = halves;
  const missing = 8 - halves.flat().length;
  if (rest === undefined ? missing !== 0 : missing < 1) return undefined;
  const groups = [...head, ...Array.from({ length: missing }, () => '0'), ...(rest ?? [])];
  return groups.reduce((value, group) => (value << 16n) | BigInt(`0x${group}`), 0n);
}

/** The longest run of two or more zero groups is `::`, the first of several. */
export function formatSix(value: bigint): string {
  const groups = Array.from({ length: 8 }, (_, index) => ((value >> BigInt(16 * (7 - index))) & 0xffffn).toString(16));
  let best = { from: 0, length: 1 };
  for (let from = 0; from < 8; from += 1) {
    let to = from;
    while (to < 8 && groups[to] === '0') to += 1;
    if (to - from > best.length) best = { from, length: to - from };
  }
  if (best.length < 2) return groups.join(':');
  return `${groups.slice(0, best.from).join(':')}::${groups.slice(best.from + best.length).join(':')}`;
}

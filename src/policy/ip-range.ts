/** Bits of an address, the first group first: 4 numbers of 8 bits or 8 of 16. */
interface Address {
  readonly parts: readonly number[];
  readonly bitsOfPart: 8 | 16;
}

/** Longer than any address in text. */
const MAX_CHARACTERS = 64;
const MAPPED_PREFIX = [0, 0, 0, 0, 0, 0xffff];

/**
 * Does the address lie in the range? An IPv4 address that is written inside of IPv6 (`::ffff:10.0.0.1`) is the IPv4 one.
 *
 * @param range `10.0.0.0/8`, `2001:db8::/32`, or one address
 * @returns undefined where either is none; an address of the other family is in no range
 * @see https://www.rfc-editor.org/rfc/rfc4632#section-3.1
 */
export function isInRange(address: string, range: string): boolean | undefined {
  const found = parseAddress(address);
  const net = parseRange(range);
  if (found === undefined || net === undefined) return undefined;
  if (found.bitsOfPart !== net.address.bitsOfPart) return false;
  return found.parts.every((part, index) => {
    const left = Math.min(Math.max(net.prefix - index * found.bitsOfPart, 0), found.bitsOfPart);
    const dropped = found.bitsOfPart - left;
    return part >> dropped === (net.address.parts[index] as number) >> dropped;
  });
}

/** Is it a range as `isInRange` reads it? */
export function isRange(text: string): boolean {
  return parseRange(text) !== undefined;
}

function parseRange(text: string): { readonly address: Address; readonly prefix: number } | undefined {
  const [host = '', prefix, ...more] = text.split('/');
  const address = parseAddress(host);
  if (address === undefined || more.length > 0) return undefined;
  const bits = address.parts.length * address.bitsOfPart;
  if (prefix === undefined) return { address, prefix: bits };
  if (!/^(?:0|[1-9]\d{0,2})$/.test(prefix)) return undefined;
  // `::ffff:10.0.0.0/104` is 10.0.0.0/8: the address lost 96 bits when it became IPv4.
  const length = Number(prefix) - (host.includes(':') && address.bitsOfPart === 8 ? 96 : 0);
  return length >= 0 && length <= bits ? { address, prefix: length } : undefined;
}

function parseAddress(text: string): Address | undefined {
  if (text.length > MAX_CHARACTERS) return undefined;
  if (!text.includes(':')) return parseV4(text);
  const parts = parseV6(text);
  if (parts === undefined) return undefined;
  if (!MAPPED_PREFIX.every((part, index) => parts[index] === part)) return { parts, bitsOfPart: 16 };
  const [high = 0, low = 0] = parts.slice(6);
  return { parts: [high >> 8, high & 0xff, low >> 8, low & 0xff], bitsOfPart: 8 };
}

/** Four decimal numbers; a leading zero is octal to some readers, so it is none here. */
function parseV4(text: string): Address | undefined {
  const parts = text.split('.');
  if (parts.length !== 4 || !parts.every((part) => /^(?:0|[1-9]\d{0,2})$/.test(part) && Number(part) <= 255))
    return undefined;
  return { parts: parts.map(Number), bitsOfPart: 8 };
}

/** @see https://www.rfc-editor.org/rfc/rfc4291#section-2.2 */
function parseV6(text: string): readonly number[] | undefined {
  const tail = /^(.*:)(\d+\.\d+\.\d+\.\d+)$/.exec(text);
  const v4 = tail === null ? undefined : parseV4(tail[2] as string);
  if (tail !== null && v4 === undefined) return undefined;
  const [a = 0, b = 0, c = 0, d = 0] = v4?.parts ?? [];
  const plain =
    tail === null ? text : `${tail[1] as string}${((a << 8) | b).toString(16)}:${((c << 8) | d).toString(16)}`;
  const halves = plain.split('::');
  if (halves.length > 2) return undefined;
  const [before = [], after] = halves.map((half) => (half === '' ? [] : half.split(':')));
  const missing = 8 - before.length - (after?.length ?? 0);
  if (after === undefined ? missing !== 0 : missing < 1) return undefined;
  const groups = after === undefined ? before : [...before, ...new Array<string>(missing).fill('0'), ...after];
  return groups.every((group) => /^[0-9a-f]{1,4}$/i.test(group))
    ? groups.map((group) => parseInt(group, 16))
    : undefined;
}

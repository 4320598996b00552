import { codes } from '../finding/entity.js';

/**
 * How a number is written, one sign a place: `9` a digit, `A` a letter, `X` either, `F` a hex digit; every other
 * sign and every small letter is itself. Letters count in both cases.
 */
export type Layout = string;

/** The bytes that may stand at a place of a layout. */
export function bytesAt(sign: string): readonly number[] {
  const own = CLASSES.get(sign);
  if (own !== undefined) return own;
  return /[a-z]/.test(sign) ? codes(sign + sign.toUpperCase()) : codes(sign);
}

const DIGITS = '0123456789';
const SMALL = 'abcdefghijklmnopqrstuvwxyz';
const CLASSES: ReadonlyMap<string, readonly number[]> = new Map([
  ['9', codes(DIGITS)],
  ['A', codes(SMALL + SMALL.toUpperCase())],
  ['X', codes(DIGITS + SMALL + SMALL.toUpperCase())],
  ['F', codes(`${DIGITS}abcdefABCDEF`)],
]);

/** A layout as it is read: for each place a table of the bytes that may stand there. */
export interface ReadLayout {
  readonly places: readonly Uint8Array[];
  readonly text: Layout;
  /** Needs no word near by: the way it is written and its check are rare enough. */
  readonly sure: boolean;
}

export function readLayout(text: Layout, sure: boolean): ReadLayout {
  const places = Array.from(text, (sign) => {
    const place = new Uint8Array(256);
    for (const byte of bytesAt(sign)) place[byte] = 1;
    return place;
  });
  return { places, text, sure };
}

/** What bytes[at,end) make of a layout: nothing, all of it, or a beginning that may go on. */
export type Fit = 'no' | 'whole' | 'begun';

export function fitOf({ places }: ReadLayout, bytes: Uint8Array, at: number, end: number): Fit {
  for (let index = 0; index < places.length; index += 1) {
    if (at + index >= end) return 'begun';
    if ((places[index] as Uint8Array)[bytes[at + index] as number] === 0) return 'no';
  }
  return 'whole';
}

/** Letters and digits as numbers from 0 to 35, without what separates them. @returns how many there are */
export function valuesOf(bytes: Uint8Array, from: number, to: number, into: Uint8Array): number {
  let count = 0;
  for (let at = from; at < to; at += 1) {
    const byte = bytes[at] as number;
    if (byte >= 0x30 && byte <= 0x39) into[count++] = byte - 0x30;
    else if ((byte | 0x20) >= 0x61 && (byte | 0x20) <= 0x7a) into[count++] = (byte | 0x20) - 0x57;
  }
  return count;
}

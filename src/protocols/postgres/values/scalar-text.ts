/**
 * What values of types with a fixed syntax look like in text. A server is not believed that a column holds
 * numbers or dates when what it sends there is neither.
 *
 * @see https://www.postgresql.org/docs/current/datatype-datetime.html#DATATYPE-DATETIME-OUTPUT
 */

/** The longest text of any of them: an interval in words. */
const MAX_CHARACTERS = 128;

const DATE = String.raw`(?:\d{4,7}-\d\d-\d\d|\d\d[./-]\d\d[./-]\d{4,7})`;
const TIME = String.raw`\d\d:\d\d(?::\d\d(?:\.\d{1,6})?)?`;
const ZONE = String.raw`(?: ?[+-]\d\d(?::\d\d){0,2}| [A-Za-z]{1,6})?`;
const NAMED_DAY = String.raw`[A-Z][a-z]{2} (?:[A-Z][a-z]{2} \d\d|\d\d [A-Z][a-z]{2})`;
const ENDLESS = '-?infinity';
const INTEGER = /^-?\d{1,10}$/;
const AMOUNT = String.raw`[+-]?\d{1,10}(?:\.\d{1,6})?`;
const CLOCK = String.raw`[+-]?\d{1,10}:\d\d(?::\d\d(?:\.\d{1,6})?)?`;
const TIMESTAMP = new RegExp(
  `^(?:${DATE}[ T]${TIME}${ZONE}(?: BC)?|${NAMED_DAY} ${TIME} \\d{4,7}${ZONE}(?: BC)?|${ENDLESS})$`,
);
const TIME_OF_DAY = new RegExp(`^${TIME}${ZONE}$`);

/** By object id; `undefined` length: nothing is sent for it. */
const LOOKS: ReadonlyMap<number, RegExp> = new Map([
  [16, /^[tf]$/],
  [18, /^(?:[\s\S]?|\\[0-7]{3})$/],
  [21, /^-?\d{1,5}$/],
  [23, INTEGER],
  [26, INTEGER],
  [27, /^\(\d{1,10},\d{1,5}\)$/],
  [28, INTEGER],
  [29, INTEGER],
  [700, /^(?:-?[\d.]{1,11}(?:e[+-]\d{1,2})?|-?Infinity|NaN)$/],
  [1082, new RegExp(`^(?:${DATE}(?: BC)?|${ENDLESS})$`)],
  [1083, TIME_OF_DAY],
  [1114, TIMESTAMP],
  [1184, TIMESTAMP],
  [
    1186,
    new RegExp(
      `^(?:@ )?(?:${AMOUNT} ?(?:years?|mons?|days?|hours?|mins?|secs?|[a-z]) ?){0,6}(?:${CLOCK})?(?: ?ago)?$` +
        `|^P(?:${AMOUNT}[YMWD]){0,4}(?:T(?:${AMOUNT}[HMS]){1,3})?$|^(?:[+-]?\\d{1,9}-\\d{1,2} ?)?(?:[+-]?\\d{1,9} ?)?(?:${CLOCK})?$|^0$`,
    ),
  ],
  [1266, TIME_OF_DAY],
  [2278, /^$/],
  [2950, /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/],
  [3220, /^[0-9A-F]{1,8}\/[0-9A-F]{1,8}$/],
]);

/** Does this text look like what the server writes for that fixed type? */
export function looksFixed(oid: number, bytes: Uint8Array): boolean {
  if (bytes.length > MAX_CHARACTERS) return false;
  if ((oid === 23 || oid === 21) && isShortInteger(bytes)) return true;
  return LOOKS.get(oid)?.test(String.fromCharCode(...bytes)) ?? false;
}

/** Most of what goes through here: no string is made for it. */
function isShortInteger(bytes: Uint8Array): boolean {
  if (bytes.length === 0 || bytes.length > 5) return false;
  for (const byte of bytes) if (byte < 0x30 || byte > 0x39) return false;
  return true;
}

const NUMBER = /^-?\d{1,1000}(?:\.\d{1,1000})?$/;
const ADDRESS_4 = /^(?:(?:25[0-5]|2[0-4]\d|1?\d?\d)(?:\.(?!$)|(?=$|\/))){4}(?:\/(?:3[0-2]|[12]?\d))?$/;
const ADDRESS_6 = /^[0-9a-f:]{2,39}(?:\/\d{1,3})?$/;

/** Is this masked text still a value of its type, so that it may stand in the place of the original? */
export function fitsType(oid: number, masked: Uint8Array): boolean {
  if (masked.length > MAX_CHARACTERS) return false;
  const text = String.fromCharCode(...masked);
  switch (oid) {
    case 20:
      return NUMBER.test(text) && !text.includes('.') && fitsInt8(BigInt(text));
    case 1700:
      return NUMBER.test(text);
    case 869:
      return ADDRESS_4.test(text) || (text.includes(':') && ADDRESS_6.test(text) && new Set(text).size > 1);
    default:
      return false;
  }
}

function fitsInt8(value: bigint): boolean {
  return BigInt.asIntN(64, value) === value;
}

import { decodeUtf8 } from '../../../core/bytes.js';
import type { ParamValue } from '../../../policy/types.js';
import { formatAt, type BindBody } from '../wire/client-messages.js';
import { typedParams } from './typed-params.js';
import { spelledNumber } from '../values/binary-scalars.js';

const BINARY_INTEGERS = new Map([
  [21, 2],
  [23, 4],
  [20, 8],
]);

/** float8 and numeric. */
const SPELLED: ReadonlySet<number> = new Set([701, 1700]);
/** text and varchar. */
const TEXTS: ReadonlySet<number> = new Set([25, 1043]);
const BOOLEAN = 16;

/** A byte order mark, and at most three bytes for each UTF-16 unit of text. */
const BYTES_PER_UNIT = 3;

/**
 * What is bound to one statement. Text is made of it only where somebody reads it, and then no more than is read: a
 * value may be as large as memory allows, and no other session moves while it is spelled.
 */
export class BoundValues {
  #texts: readonly (string | null)[] | undefined;
  #typed: readonly ParamValue[] | undefined;
  #values: readonly (Uint8Array | null)[];

  /**
   * @param types object ids that the client named; 0 or missing where it left them open
   * @param maxBytes of all values together, to be read whole
   */
  constructor(
    private readonly body: BindBody,
    private readonly types: readonly number[],
    private readonly maxBytes: number,
  ) {
    this.#values = body.values;
  }

  /**
   * Whole, as text for policy: text format as it stands, numbers, truth values and text in binary decoded, anything else
   * in binary as `\x` and hex digits. NULL stays null.
   *
   * @throws RangeError where the values are larger than may be read: what can't be read can't be decided
   */
  texts(): readonly (string | null)[] {
    if (this.#texts !== undefined) return this.#texts;
    const bytes = this.#values.reduce((sum, value) => sum + (value?.length ?? 0), 0);
    if (bytes > this.maxBytes) throw new RangeError('bound values over the size limit');
    return (this.#texts = this.#spelled(Infinity));
  }

  /**
   * The same as conditions see them.
   *
   * @throws RangeError as `texts`
   */
  typed(): readonly ParamValue[] {
    return (this.#typed ??= typedParams(this.texts(), this.types));
  }

  /** As they came, until they are released. */
  get sent(): Pick<BindBody, 'formats' | 'values'> & { readonly types: readonly number[] } {
    return { formats: this.body.formats, values: this.#values, types: this.types };
  }

  /** The first `maxLength` UTF-16 units of each text. */
  starts(maxLength: number): readonly (string | null)[] {
    return this.#spelled(maxLength).map((text) => text?.slice(0, maxLength) ?? null);
  }

  /** It is decided: nobody reads the values any more, and the portal that is bound may live long. */
  release(): void {
    this.#values = this.#texts = this.#typed = [];
  }

  #spelled(maxLength: number): (string | null)[] {
    return this.#values.map((value, index) =>
      value === null ? null : spelled(value, formatAt(this.body.formats, index), this.types[index] ?? 0, maxLength),
    );
  }
}

/** At least the first `maxLength` UTF-16 units of the text that a value stands for. */
function spelled(value: Uint8Array, format: number, type: number, maxLength: number): string {
  if (format === 0 || TEXTS.has(type)) return decodeUtf8(value.subarray(0, BYTES_PER_UNIT * (maxLength + 1)));
  if (BINARY_INTEGERS.get(type) === value.length) {
    let number = BigInt(((value[0] as number) << 24) >> 24);
    for (const byte of value.subarray(1)) number = (number << 8n) | BigInt(byte);
    return number.toString();
  }
  if (type === BOOLEAN && value.length === 1) return value[0] === 0 ? 'f' : 't';
  const number = SPELLED.has(type) ? spelledNumber(type, value) : undefined;
  if (number?.[0] !== undefined && number.length === 1) return decodeUtf8(number[0]);
  return `\\x${hexOf(value.subarray(0, maxLength))}`;
}

const DIGITS = Uint8Array.from('0123456789abcdef', (digit) => digit.charCodeAt(0));

/** By way of bytes: a string for each takes a second for a value of one MiB, in which no other session moves. */
function hexOf(bytes: Uint8Array): string {
  const text = new Uint8Array(2 * bytes.length);
  for (let at = 0; at < bytes.length; at += 1) {
    const byte = bytes[at] as number;
    text[2 * at] = DIGITS[byte >> 4] as number;
    text[2 * at + 1] = DIGITS[byte & 0xf] as number;
  }
  return decodeUtf8(text);
}

/** Messages of the client's with a part of them changed. */
import { concatBytes } from '../../../core/bytes.js';
import { HEADER_BYTES } from '../wire/frames.js';

const LENGTH_BYTES = 4;

/** @param raw the text in it, a part of the same memory */
export function withText(message: Uint8Array, raw: Uint8Array, text: Uint8Array): Uint8Array {
  const from = raw.byteOffset - message.byteOffset;
  return framed(message, [message.subarray(HEADER_BYTES, from), text, message.subarray(from + raw.length)]);
}

/**
 * A Bind message with other values for some parameters.
 *
 * @param values of the message in order, parts of the same memory
 * @param replaced by index
 */
export function withParameters(
  message: Uint8Array,
  values: readonly (Uint8Array | null)[],
  replaced: ReadonlyMap<number, Uint8Array>,
): Uint8Array {
  const parts: Uint8Array[] = [];
  let kept = HEADER_BYTES;
  values.forEach((value, index) => {
    const by = replaced.get(index);
    if (value === null || by === undefined) return;
    const from = value.byteOffset - message.byteOffset;
    parts.push(message.subarray(kept, from - LENGTH_BYTES), int32(by.length), by);
    kept = from + value.length;
  });
  return framed(message, [...parts, message.subarray(kept)]);
}

function framed(message: Uint8Array, parts: readonly Uint8Array[]): Uint8Array {
  const length = parts.reduce((sum, part) => sum + part.length, LENGTH_BYTES);
  return concatBytes([message.subarray(0, 1), int32(length), ...parts]);
}

function int32(value: number): Uint8Array {
  return new Uint8Array([value >>> 24, value >>> 16, value >>> 8, value]);
}

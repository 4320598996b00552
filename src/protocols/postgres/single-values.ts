import type { MaskCounts } from '../../core/mask.js';
import { BodyReader } from './frames.js';
import { functionResult, notificationMessage, parameterStatus } from './messages.js';
import { count, type ValueMasker } from './row-masker.js';
import { spelledBinary } from './spelled-binary.js';

/** A function's value may be of any type; of these the bytes don't show what they spell: text or array, int8, numeric, float8, inet. */
const FUNCTION_TYPES = [0, 20, 1700, 701, 869];

/**
 * Masks channel and payload of a NotificationResponse.
 *
 * @returns the message itself when nothing changed; undefined when it is malformed
 */
export function maskNotification(message: Uint8Array, masker: ValueMasker, counts: MaskCounts): Uint8Array | undefined {
  const reader = new BodyReader(message);
  const [pid, channel, payload] = [reader.int32(), reader.cstring(), reader.cstring()];
  if (reader.failed || reader.remaining > 0) return undefined;
  const masked = [channel, payload].map((text) => masker.maskText(text, counts)) as [string, string];
  return masked[0] === channel && masked[1] === payload ? message : notificationMessage(pid >>> 0, ...masked);
}

/**
 * Masks a FunctionCallResponse. The type of the value is not on the wire: what might hold something
 * goes out as NULL.
 *
 * @returns the message itself when nothing changed; undefined when it is malformed
 */
export function maskFunctionResult(
  message: Uint8Array,
  masker: ValueMasker,
  counts: MaskCounts,
): Uint8Array | undefined {
  const reader = new BodyReader(message);
  const length = reader.int32();
  const value = length === -1 ? new Uint8Array(0) : reader.take(length);
  if (reader.failed || reader.remaining > 0) return undefined;
  const mayHold = FUNCTION_TYPES.some(
    (type) => spelledBinary(type, value)?.some((part) => masker.mayMatch(part, 0, part.length)) === true,
  );
  if (!mayHold) return message;
  count(counts, 'unreadable');
  return functionResult(null);
}

/**
 * Masks the value of a ParameterStatus: a statement can set what the server reports to anything,
 * as in `set_config('application_name', ssn, false)`.
 *
 * @returns the message itself when nothing changed; undefined when it is malformed
 */
export function maskParameter(message: Uint8Array, masker: ValueMasker, counts: MaskCounts): Uint8Array | undefined {
  const reader = new BodyReader(message);
  const [name, value] = [reader.cstring(), reader.cstring()];
  if (reader.failed || reader.remaining > 0) return undefined;
  const masked = masker.maskText(value, counts);
  return masked === value ? message : parameterStatus(name, masked);
}

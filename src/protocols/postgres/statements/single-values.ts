import type { SessionMasks } from '../masks.js';
import type { MaskCounts } from '../../../core/mask.js';
import { BodyReader } from '../wire/frames.js';
import type { Run } from './run.js';
import { functionResult, notificationMessage, parameterStatus } from '../wire/messages.js';
import { BinaryForms } from '../values/binary-forms.js';
import { maskFreeText } from '../values/free-text.js';
import { isText, TextForms } from '../values/text-forms.js';
import type { ValueMasker } from '../values/value-masker.js';

const STAR = 0x2a;

/**
 * Masks channel and payload of a NotificationResponse.
 *
 * @returns the message itself when nothing changed; undefined when it is malformed
 */
function maskNotification(message: Uint8Array, masker: ValueMasker, counts: MaskCounts): Uint8Array | undefined {
  const reader = new BodyReader(message);
  const [pid, channel, payload] = [reader.int32(), reader.cstring(), reader.cstring()];
  if (reader.failed || reader.remaining > 0) return undefined;
  const masked = [channel, payload].map((text) => maskFreeText(text, masker, counts)) as [string, string];
  return masked[0] === channel && masked[1] === payload ? message : notificationMessage(pid >>> 0, ...masked);
}

/**
 * Masks a FunctionCallResponse. The type of the value is not on the wire: what can't be masked in place goes
 * out as NULL. A value never grows: libpq copies it into a buffer of the size that its caller asked for.
 *
 * @returns the message itself when nothing changed; undefined when it is malformed
 */
function maskFunctionResult(message: Uint8Array, masker: ValueMasker, counts: MaskCounts): Uint8Array | undefined {
  const reader = new BodyReader(message);
  const length = reader.int32();
  const value = length === -1 ? new Uint8Array(0) : reader.take(length);
  if (reader.failed || reader.remaining > 0) return undefined;
  const masked = new BinaryForms(masker, new TextForms(masker, undefined), undefined).untyped(value, counts);
  if (masked === undefined) return message;
  if (masked === null || masked.length <= value.length) return functionResult(masked);
  return functionResult(isText(value) ? starred(value, masked) : null);
}

/** As the masks have it of what the function gives. @returns undefined when it is malformed */
export function answeredFunction(
  message: Uint8Array,
  run: Run,
  { answers, columns }: SessionMasks,
  counts: MaskCounts,
): Uint8Array | undefined {
  if (columns?.functionPasses(run.calls ?? 0) === false) return functionResult(null);
  return answers === undefined ? message : maskFunctionResult(message, answers, counts);
}

/** The value with stars from the first byte that a mask changed to the last. */
function starred(value: Uint8Array, masked: Uint8Array): Uint8Array {
  let from = 0;
  while (from < value.length && value[from] === masked[from]) from += 1;
  let same = 0;
  while (same < value.length - from && value.at(-1 - same) === masked.at(-1 - same)) same += 1;
  return new Uint8Array(value).fill(STAR, from, value.length - same);
}

/**
 * Masks the value of a ParameterStatus: a statement can set what the server reports to anything,
 * as in `set_config('application_name', ssn, false)`.
 *
 * @returns the message itself when nothing changed; undefined when it is malformed
 */
function maskParameter(message: Uint8Array, masker: ValueMasker, counts: MaskCounts): Uint8Array | undefined {
  const reader = new BodyReader(message);
  const [name, value] = [reader.cstring(), reader.cstring()];
  if (reader.failed || reader.remaining > 0) return undefined;
  const masked = maskFreeText(value, masker, counts);
  return masked === value ? message : parameterStatus(name, masked);
}

/** A notification as the client gets it; undefined where it is none. */
export function answeredNotification(
  message: Uint8Array,
  { answers }: Pick<SessionMasks, 'answers'>,
  counts: MaskCounts,
): Uint8Array | undefined {
  return answers === undefined ? message : maskNotification(message, answers, counts);
}

/** A parameter of the server as the client gets it; undefined where it is none. */
export function answeredParameter(
  message: Uint8Array,
  { answers }: Pick<SessionMasks, 'answers'>,
  counts: MaskCounts,
): Uint8Array | undefined {
  return answers === undefined ? message : maskParameter(message, answers, counts);
}

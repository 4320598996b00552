import type { MaskCounts } from '../../core/mask.js';
import { BodyReader } from './frames.js';
import { functionResult, notificationMessage, parameterStatus } from './messages.js';
import { count, type ValueMasker } from './row-masker.js';

/** A message as it goes down; undefined when it is malformed. */
type Masked = Uint8Array | undefined;

/** NotificationResponse: the payload is whatever `pg_notify` was given. */
export function maskNotification(message: Uint8Array, masker: ValueMasker, counts: MaskCounts): Masked {
  const reader = new BodyReader(message);
  const [pid, channel, payload] = [reader.int32(), reader.cstring(), reader.cstring()];
  if (reader.failed) return undefined;
  const masked = masker.maskText(payload, counts);
  return masked === payload ? message : notificationMessage(pid >>> 0, channel, masked);
}

/** FunctionCallResponse: the type of the value is not on the wire, so what might hold something goes out as NULL. */
export function maskFunctionResult(message: Uint8Array, masker: ValueMasker, counts: MaskCounts): Masked {
  const reader = new BodyReader(message);
  const length = reader.int32();
  const value = reader.take(Math.max(length, 0));
  if (reader.failed || reader.remaining > 0 || length < -1) return undefined;
  if (!masker.mayMatch(value, 0, value.length)) return message;
  count(counts, 'unreadable');
  return functionResult(null);
}

/** ParameterStatus: a statement can set some to anything, `set_config('application_name', ssn, false)`. */
export function maskParameter(message: Uint8Array, masker: ValueMasker, counts: MaskCounts): Masked {
  const reader = new BodyReader(message);
  const [name, value] = [reader.cstring(), reader.cstring()];
  if (reader.failed) return undefined;
  const masked = masker.maskText(value, counts);
  return masked === value ? message : parameterStatus(name, masked);
}

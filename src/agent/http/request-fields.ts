import type { IncomingMessage } from 'node:http';
import { durationSchema } from '../../config/values.js';
import { HoopError } from '../../core/errors.js';
import { readTextFields } from './body.js';

/** Longest reason of a request or decision, in characters. */
export const MAX_REASON_LENGTH = 4_000;

/**
 * Reads the JSON body of a call about requests and grants; `reason` is bounded.
 *
 * @throws HoopError `usage`
 */
export async function readFields(
  request: IncomingMessage,
  names: readonly string[],
): Promise<{ readonly text: (name: string) => string; readonly durationMs: number | undefined }> {
  const fields = await readTextFields(request, names);
  const text = (name: string): string => fields.get(name) ?? '';
  if (text('reason').length > MAX_REASON_LENGTH)
    throw new HoopError('usage', `the reason is longer than ${String(MAX_REASON_LENGTH)} characters`);
  return { text, durationMs: parseDuration(text('duration')) };
}

function parseDuration(given: string): number | undefined {
  if (given === '') return undefined;
  const parsed = durationSchema.safeParse(given);
  if (parsed.success) return parsed.data;
  throw new HoopError('usage', 'a duration is written as 30m, 2h or 1d');
}

import { HoopError } from '../core/errors.js';

/** The agent keeps no more, and an id that is cut is another id. */
const MAX_CHARACTERS = 500;

/** version, trace-id, parent-id, flags. @see https://www.w3.org/TR/trace-context/#traceparent-header-field-values */
const TRACEPARENT = /^(?!ff)[0-9a-f]{2}-(?!0{32})([0-9a-f]{32})-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}(?:-|$)/;

/**
 * The id that ties the sessions of one run: the flag, else `HOOP_CORRELATION_ID`, else the trace-id of
 * `TRACEPARENT`, under which tracers pass a trace on to the programs they start.
 *
 * @throws HoopError usage over 500 characters
 */
export function correlationFrom(
  flag: string | undefined,
  env: Readonly<Record<string, string | undefined>>,
): string | undefined {
  const given = [flag, env['HOOP_CORRELATION_ID']].find((id) => id !== undefined && id !== '');
  if (given === undefined) return TRACEPARENT.exec(env['TRACEPARENT'] ?? '')?.[1];
  if (given.length > MAX_CHARACTERS)
    throw new HoopError('usage', `a correlation id has up to ${String(MAX_CHARACTERS)} characters`);
  return given;
}

import { HoopError } from '../core/errors.js';
import { parseTraceparent, type TraceContext } from '../core/trace-context.js';

/** The agent keeps no more, and an id that is cut is another id. */
const MAX_CHARACTERS = 500;

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
  if (given === undefined) return parseTraceparent(env['TRACEPARENT'])?.traceId;
  if (given.length > MAX_CHARACTERS)
    throw new HoopError('usage', `a correlation id has up to ${String(MAX_CHARACTERS)} characters`);
  return given;
}

/** What ties what is done to other things: the correlation id, and the caller's place in a trace. */
export function runOf(
  flag: string | undefined,
  env: Readonly<Record<string, string | undefined>>,
): { readonly correlationId: string | undefined; readonly trace: TraceContext | undefined } {
  return { correlationId: correlationFrom(flag, env), trace: parseTraceparent(env['TRACEPARENT']) };
}

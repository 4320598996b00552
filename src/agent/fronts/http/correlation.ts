import type { IncomingMessage } from 'node:http';
import { parseTraceparent, type TraceContext } from '../../../core/trace-context.js';

const MAX_CHARS = 500;
/** What may stand in a log or a list as it is. */
const PLAIN = /^[\x21-\x7e]+$/;

/**
 * What ties a request to others: the tunnel's own id where it has one, else the `x-hoop-correlation-id` header, else
 * the trace id of `traceparent`. Empty where there is none.
 */
export function correlationOf(request: Pick<IncomingMessage, 'headers'>, own: string): string {
  if (own !== '') return own;
  const given = request.headers['x-hoop-correlation-id'];
  if (typeof given === 'string' && PLAIN.test(given)) return given.slice(0, MAX_CHARS);
  return traceOf(request)?.traceId ?? '';
}

/** The trace that a request says it is a part of. Sent twice, Node joins the two, and they are none. */
export function traceOf(request: Pick<IncomingMessage, 'headers'>): TraceContext | undefined {
  const given = request.headers['traceparent'];
  return typeof given === 'string' ? parseTraceparent(given) : undefined;
}

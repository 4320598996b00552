import type { IncomingMessage } from 'node:http';

const MAX_CHARS = 500;
/** Version, trace id, parent id, flags; an id of zeros is none. @see https://www.w3.org/TR/trace-context/#traceparent-header */
const TRACEPARENT = /^[0-9a-f]{2}-(?!0{32})([0-9a-f]{32})-[0-9a-f]{16}-[0-9a-f]{2}/;
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
  const trace = request.headers['traceparent'];
  return typeof trace === 'string' ? (TRACEPARENT.exec(trace)?.[1] ?? '') : '';
}

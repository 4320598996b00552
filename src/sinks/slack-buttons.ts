import { createHmac, timingSafeEqual } from 'node:crypto';
import { isId } from '../core/ids.js';

/** What the two buttons of a message are called on the wire. */
export const SLACK_ACTIONS = { approve: 'hoop.approve', deny: 'hoop.deny' } as const;

/** How far Slack's clock and ours may differ, in seconds; what is older may have been recorded by somebody. */
const MAX_AGE_S = 300;

/**
 * Was this sent by Slack, for the app with this secret, just now? `X-Slack-Signature` is `v0=` and the hex HMAC-SHA256 over
 * `v0:TIMESTAMP:BODY`, the body as it came.
 *
 * @see https://docs.slack.dev/authentication/verifying-requests-from-slack
 */
export function isSignedBySlack(
  secret: string,
  { timestamp, signature, body }: { readonly timestamp: string; readonly signature: string; readonly body: Uint8Array },
): boolean {
  const expected = `v0=${createHmac('sha256', secret).update(`v0:${timestamp}:`).update(body).digest('hex')}`;
  return same(signature, expected);
}

/** Is the time of a request near enough to ours? @param timestamp seconds since the epoch, as the header has them */
export function isFresh(timestamp: string, nowMs: number): boolean {
  return /^\d{1,12}$/.test(timestamp) && Math.abs(nowMs / 1_000 - Number(timestamp)) <= MAX_AGE_S;
}

/**
 * What a button carries: the request, and a proof that this agent made the button for that sink. Whoever has the address of an incoming
 * webhook can post a message with any words above any button, but none that decides something.
 */
export function buttonValue(secret: string, sink: string, request: string): string {
  return `${request}.${proofOf(secret, sink, request)}`;
}

/** The request of a button that this agent made for the sink; undefined for any other. */
export function requestOfButton(secret: string, sink: string, value: string): string | undefined {
  const [request = '', proof = ''] = value.split('.');
  return isId(request) && same(proof, proofOf(secret, sink, request)) ? request : undefined;
}

function proofOf(secret: string, sink: string, request: string): string {
  // Never the beginning of what Slack signs with the same secret.
  return createHmac('sha256', secret).update(`hoop button ${request} ${sink}`).digest('hex');
}

function same(given: string, expected: string): boolean {
  const [one, other] = [Buffer.from(given), Buffer.from(expected)];
  return one.length === other.length && timingSafeEqual(one, other);
}

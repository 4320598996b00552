import type { RequestView } from '../core/approval.js';
import { escapeControls } from '../core/display.js';
import type { Colours } from './colours.js';

/**
 * A request as its reviewer reads it: who, where, why, and the statement whole.
 *
 * Every line of the statement stands behind a bar, so that text in it can't pass for one of ours.
 */
export function requestLines(request: RequestView, colours: Colours): string {
  const { requester } = request;
  const who = requester.email === '' ? requester.subject : requester.email;
  const facts: readonly (readonly [string, string])[] = [
    ['request', request.id],
    ['state', stateOf(request)],
    ['who', `${who} (${requester.groups.length === 0 ? 'no groups' : requester.groups.join(', ')})`],
    ['where', `${request.connection} as ${request.credential}`],
    ...request.rules.map(({ rule, message }) => ['rule', message === '' ? rule : `${rule}: ${message}`] as const),
    ...(request.reason === '' ? [] : [['reason', request.reason] as const]),
    ...request.votes.map(
      (vote) => ['approved', `${vote.email === '' ? vote.subject : vote.email} at ${vote.at}`] as const,
    ),
    request.state === 'pending' ? ['until', request.expiresAt] : ['decided', request.decidedAt],
  ];
  const text = escapeControls(request.text, { keepNewlines: true }).split('\n');
  return [
    ...facts.map(([name, value]) => `${colours.dim(name.padEnd(8))} ${colours.plain(value)}`),
    ...text.map((line) => `${colours.dim('  |')} ${line}`),
  ].join('\n');
}

/** The state with who decided and why, as one line; not escaped. */
export function stateOf(request: RequestView): string {
  const by = request.decidedBy === '' ? '' : ` by ${request.decidedBy}`;
  const why = request.decisionReason === '' ? '' : `: ${request.decisionReason}`;
  return `${request.state}${by}${why}`;
}

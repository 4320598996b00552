import { escapeControls } from '../core/display.js';
import type { SinkEvent } from '../core/sink-event.js';

/** What chat programs are told of an event: the same words in Slack and in Teams. */
export interface ChatText {
  readonly title: string;
  /** Name and value, in order. */
  readonly facts: readonly (readonly [string, string])[];
  /** What was asked for, masked, cut. */
  readonly statement: string | undefined;
  /** What a reviewer types; only where something waits for one. */
  readonly command: string | undefined;
  /** The request that waits for approval, and whether all of it is said here: no bound values, nothing cut. */
  readonly waiting: { readonly request: string; readonly whole: boolean } | undefined;
}

const MAX_STATEMENT_CHARS = 1_500;
const MAX_FACT_CHARS = 300;

export function chatText(event: SinkEvent): ChatText {
  const { request, reason, by, outcome, boundValues } = event.unmapped;
  const facts: [string, string][] = [
    ['Who', event.actor.user.email_addr ?? event.actor.user.uid],
    ['Connection', event.dst_endpoint.name],
  ];
  if (event.firewall_rule !== undefined) facts.push(['Rule', event.firewall_rule.uid]);
  if (isText(reason)) facts.push(['Reason', reason]);
  if (isText(outcome)) facts.push(['Outcome', isText(by) ? `${outcome} by ${by}` : outcome]);
  if (event.actor.session !== undefined) facts.push(['Session', event.actor.session.uid]);
  const statement = event.query_info?.query_string;
  const waits =
    event.type === 'approval.requested' || event.type === 'approval.voted' || event.type === 'approval.break-glass';
  return {
    title: plain(event.message, MAX_FACT_CHARS),
    facts: facts.map(([name, value]) => [name, plain(value, MAX_FACT_CHARS)]),
    statement: isText(statement) ? plain(statement, MAX_STATEMENT_CHARS) : undefined,
    command: waits && isText(request) ? `hoop approve ${request}` : undefined,
    waiting:
      waits && isText(request) && event.type !== 'approval.break-glass'
        ? { request, whole: boundValues === undefined && (statement?.length ?? 0) <= MAX_STATEMENT_CHARS }
        : undefined,
  };
}

function isText(value: unknown): value is string {
  return typeof value === 'string' && value !== '';
}

/** What a requester wrote must not look like something else: characters that turn or hide a line are shown as their codes. */
function plain(text: string, most: number): string {
  const shown = escapeControls(text, { keepNewlines: true });
  if (shown.length <= most) return shown;
  // Not within a pair of surrogates, which is one character.
  const end = /[\ud800-\udbff]$/.test(shown.slice(0, most)) ? most - 1 : most;
  return `${shown.slice(0, end)}… (${String(text.length)} characters)`;
}

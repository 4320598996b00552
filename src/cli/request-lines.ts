import type { RequestPreview, RequestView } from '../core/approval.js';
import { escapeControls } from '../core/display.js';
import { durationText } from '../core/duration-text.js';
import { progressText } from '../core/progress-text.js';
import type { Colours } from './colours.js';

type Fact = readonly [name: string, value: string];

/**
 * A request as its reviewer reads it: who, where, why, and the statement whole.
 *
 * Every line of the statement stands behind a bar, so that text in it can't pass for one of ours.
 */
export function requestLines(request: RequestView, colours: Colours): string {
  const facts = [...askedBy(request), ...askedFor(request), ...reachOf(request), ...decidedBy(request)];
  const text = escapeControls(request.text, { keepNewlines: true }).split('\n');
  return [
    ...facts.map(([name, value]) => `${colours.dim(name.padEnd(8))} ${colours.plain(value)}`),
    ...text.map((line) => `${colours.dim('  |')} ${line}`),
  ].join('\n');
}

function askedBy(request: RequestView): readonly Fact[] {
  const { requester, client } = request;
  const who = requester.email === '' ? requester.subject : requester.email;
  const groups = requester.groups.length === 0 ? 'no groups' : requester.groups.join(', ');
  const from = [client?.address, client?.application].filter((part) => part !== undefined).join(', ');
  return [
    ['request', request.id],
    ['state', stateOf(request)],
    ['who', `${who} (${groups}${requester.machine ? '; a machine' : ''})`],
    ...(from === '' ? [] : [['from', from] as const]),
  ];
}

function askedFor(request: RequestView): readonly Fact[] {
  const { params, reason } = request;
  const values = (params ?? []).map((value, index) => `$${String(index + 1)} = ${value ?? 'NULL'}`);
  return [
    ['where', `${request.connection} as ${request.credential}`],
    ...request.rules.map(({ rule, message }) => ['rule', message === '' ? rule : `${rule}: ${message}`] as const),
    ...(reason === '' ? [] : [['reason', reason] as const]),
    ...(values.length === 0 ? [] : [['values', values.join(', ')] as const]),
  ];
}

/** What it would touch, as far as that was found out. */
function reachOf({ impact, preview }: RequestView): readonly Fact[] {
  const rows = impact?.estimatedRows;
  const tables = (impact?.tables ?? []).map(({ name, via }) => (via === 'statement' ? name : `${name} by ${via}`));
  return [
    ...(rows === undefined ? [] : [['estimate', `about ${rowsText(rows)}`] as const]),
    ...(tables.length === 0 ? [] : [['tables', tables.join(', ')] as const]),
    ...(preview === undefined ? [] : [['preview', previewText(preview)] as const]),
  ];
}

function previewText({ rows, refused, notes }: RequestPreview): string {
  if (refused !== undefined) return `none: ${refused}`;
  return rows === undefined ? notes.join('; ') : `${rowsText(rows)}, rolled back`;
}

function rowsText(rows: number): string {
  return `${String(rows)} ${rows === 1 ? 'row' : 'rows'}`;
}

function decidedBy(request: RequestView): readonly Fact[] {
  const votes = request.votes.map(
    ({ email, subject, at, durationMs }) =>
      [
        'approved',
        `${email === '' ? subject : email} at ${at}${durationMs === undefined ? '' : ` for ${durationText(durationMs)}`}`,
      ] as const,
  );
  const needs = request.state === 'pending' ? progressText(request.progress ?? []) : '';
  return [
    ...votes,
    ...(needs === '' ? [] : [['needs', needs] as const]),
    request.state === 'pending' ? ['until', request.expiresAt] : ['decided', request.decidedAt],
  ];
}

/** The state with who decided and why, as one line; not escaped. */
export function stateOf(request: RequestView): string {
  const by = request.decidedBy === '' ? '' : ` by ${request.decidedBy}`;
  const why = request.decisionReason === '' ? '' : `: ${request.decisionReason}`;
  return `${request.state}${by}${why}${reviewOf(request)}`;
}

/** What break-glass still owes, or what was said of it. */
function reviewOf({ breakGlass, review }: RequestView): string {
  if (breakGlass !== true) return '';
  if (review === undefined) return ' (to be reviewed)';
  return ` (${review.verdict} by ${review.by}${review.reason === '' ? '' : `: ${review.reason}`})`;
}

/** What an approved request for access says to the one who asked. */
export function accessLine(request: RequestView, colours: Colours): string {
  const { connection, durationMs, decidedBy: by } = request;
  const span = durationMs === undefined ? '' : ` for ${durationText(durationMs)} at most`;
  return colours.plain(`access to ${connection} granted${span}, approved by ${by}`);
}

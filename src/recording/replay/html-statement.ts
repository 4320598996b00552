import type { ChainedEvent } from '../../core/events.js';
import { approvalWords } from '../reading/approval-lines.js';
import {
  bounded,
  decisionOf,
  digestOf,
  failureOf,
  list,
  maskedOf,
  number,
  plain,
  record,
} from '../reading/event-fields.js';
import { answerLines, isAnswer, requestTitle, speakerOf, spokenIn } from '../reading/http-lines.js';
import { atMsOf } from './entry.js';
import type { Group } from './groups.js';
import { escapeHtml } from './html-page.js';

/** Most characters of one text, and rows of one result, on a page. What was longer says how long it was. */
const MAX_TEXT_CHARS = 20_000;
const MAX_ROWS = 200;
const MAX_CELL_CHARS = 500;

/** A statement or request with what became of it. @param startMs when its session began */
export function statementArticle(group: Group, startMs: number | undefined): string {
  const events = group.entries.map(({ event }) => event);
  const [first] = events;
  if (first === undefined) return '';
  const verdict = verdictOf(events);
  const failed = events.some((event) => failureOf(event, 1) !== '');
  const parts = events.map(partOf).filter((part) => part !== '');
  return `<article data-verdict="${verdict}"${failed ? ' data-failed="yes"' : ''}>${header(group, first, verdict, startMs)}
${parts.join('\n')}</article>`;
}

function header(group: Group, first: ChainedEvent, verdict: string, startMs: number | undefined): string {
  const source = group.entries[0]?.source;
  const seconds = startMs === undefined ? Number.NaN : (atMsOf(first) - startMs) / 1000;
  const via = plain(first['via']);
  const parts = [
    `<b>#${text(first['statement'])}${group.continued ? ' goes on' : ''}</b>`,
    `<span class="verdict">${verdict}</span>`,
    first.type === 'request' ? `<span>${escapeHtml(requestTitle(first))}</span>` : '',
    source === undefined ? '' : `<span>${escapeHtml(`${source.connection} ${source.session.slice(-8)}`)}</span>`,
    via === '' || via === 'query' ? '' : `<span>${escapeHtml(via)}</span>`,
    `<time>${text(first.at)}</time>`,
    Number.isNaN(seconds) ? '' : `<span>+${seconds.toFixed(3)} s</span>`,
  ];
  return `<header>${parts.filter((part) => part !== '').join(' ')}</header>`;
}

function verdictOf(events: readonly ChainedEvent[]): string {
  let verdict = 'allowed';
  for (const event of events) {
    if (event.type === 'approval.resolved') verdict = event['outcome'] === 'approved' ? 'approved' : 'denied';
    if (event.type !== 'decision') continue;
    if (event['action'] === 'block') return 'blocked';
    if (event['action'] === 'approve') verdict = 'held';
    if (event['action'] === 'warn') verdict = 'warned';
  }
  return verdict;
}

function partOf(event: ChainedEvent): string {
  switch (event.type) {
    case 'statement':
      return asked(event);
    case 'request':
      return requested(event);
    case 'decision':
      return decided(event);
    case 'output':
      return 'rows' in event ? table(event) : answered(event);
    case 'result':
      return result(event);
    default:
      return note(approvalWords(event, MAX_TEXT_CHARS)?.words ?? `${plain(event.at)} ${plain(event.type)}`);
  }
}

function asked(event: ChainedEvent): string {
  const params = list(event['params'], 'NULL').map((value, at) => `$${String(at + 1)} = ${value}`);
  const bytes = number(event['textBytes']);
  return [
    block(event['text']),
    bytes === undefined ? '' : note(`the whole text has ${String(bytes)} bytes`),
    params.length === 0 ? '' : note(`with ${cut(params.join(', '))}`),
  ].join('');
}

function requested(event: ChainedEvent): string {
  const model = typeof event['model'] === 'string' || typeof event['endpoint'] === 'string';
  const said = model && plain(event['text']) !== '' ? speech(speakerOf(event), event['text']) : '';
  return said + folded(model ? 'whole request' : 'body', event, !model);
}

function answered(event: ChainedEvent): string {
  const from = plain(event['from']);
  if (from !== '') return speech(from, event['body']);
  const spoken = spokenIn(event);
  if (spoken.length === 0) return folded('answer', event, true);
  return (
    spoken.map(([who, part]) => speech(who.replace(/ .*/, ''), part)).join('') + folded('whole answer', event, false)
  );
}

function decided(event: ChainedEvent): string {
  const observed = Array.isArray(event['observed']) ? (event['observed'] as readonly unknown[]).map(record) : [];
  const would = observed.map((one) => note(`${plain(one['rule'])} would ${plain(one['action'])}`));
  // Without a rule the badge says it all.
  return (list(event['rules']).length === 0 ? '' : note(decisionOf(event, MAX_TEXT_CHARS))) + would.join('');
}

function result(event: ChainedEvent): string {
  const failure = failureOf(event, MAX_TEXT_CHARS);
  if (isAnswer(event)) return answerLines(event, MAX_TEXT_CHARS).map(note).join('');
  const rows = number(event['rows']);
  const duration = number(event['durationMs']);
  const parts = [
    failure === '' ? plain(event['tag']) : '',
    rows === undefined ? '' : `${String(rows)} ${rows === 1 ? 'row' : 'rows'}`,
    maskedOf(event),
    duration === undefined ? '' : `${String(duration)} ms`,
    digestOf(event),
  ];
  const shown = parts.filter((part) => part !== '').join(' · ');
  return (
    (failure === '' ? '' : `<p class="note failed">${escapeHtml(failure)}</p>`) + (shown === '' ? '' : note(shown))
  );
}

function table(event: ChainedEvent): string {
  const rows = Array.isArray(event['rows']) ? (event['rows'] as readonly unknown[]) : [];
  const total = number(event['totalRows']) ?? rows.length;
  const shown = rows.slice(0, MAX_ROWS).filter((row): row is readonly unknown[] => Array.isArray(row));
  const head = list(event['columns']).map((name) => `<th>${escapeHtml(bounded(name, MAX_CELL_CHARS))}</th>`);
  const body = shown.map((row) => `<tr>${row.map(cell).join('')}</tr>`);
  const more = total > shown.length ? note(`${String(total - shown.length)} more of ${String(total)} rows`) : '';
  return `<div class="scroll"><table><tr>${head.join('')}</tr>${body.join('')}</table></div>${more}`;
}

function cell(value: unknown): string {
  if (value === null) return '<td class="null">NULL</td>';
  return `<td>${escapeHtml(bounded(plain(value), MAX_CELL_CHARS))}</td>`;
}

function speech(who: string, said: unknown): string {
  return `<div class="said"><span class="who">${escapeHtml(who)}</span>${block(said)}</div>`;
}

/** @param open read at first sight */
function folded(name: string, event: ChainedEvent, open: boolean): string {
  const bytes = number(event['bodyBytes']);
  const said = [bytes === undefined ? '' : `${String(bytes)} bytes`, plain(event['contentType']), digestOf(event)];
  const size = said.filter((part) => part !== '');
  if (plain(event['body']) === '') return size.length === 0 ? '' : note(`${name}, ${size.join(' of ')}`);
  return `<details${open ? ' open' : ''}><summary>${escapeHtml([name, ...size].join(', '))}</summary>${block(event['body'])}</details>`;
}

function block(value: unknown): string {
  return `<pre>${escapeHtml(cut(plain(value)))}</pre>`;
}

function note(shown: string): string {
  return `<p class="note">${escapeHtml(shown)}</p>`;
}

function cut(whole: string): string {
  return bounded(whole, MAX_TEXT_CHARS);
}

function text(value: unknown): string {
  return escapeHtml(plain(value));
}

import type { RequestPreview, RequestView } from '../../core/approval.js';
import { displayWidth } from '../../core/display.js';
import { editRow, type Hint, hintLine } from '../bars.js';
import { timeLeft } from '../figures.js';
import { clipLine, type Line, line, lineText, markFound, padLine, piece, type Piece } from '../lines.js';
import { windowAround } from '../scrolling.js';
import type { DeskState, LineState } from './desk.js';
import { detailLines } from './detail.js';
import { previewRow } from './preview-lines.js';
import type { ApproveState, Layout } from './state.js';

/** What is drawn, and what keys need to know of it. */
export interface Frame {
  readonly lines: readonly Line[];
  readonly layout: Layout;
  /** First row of the list that is seen. */
  readonly listTop: number;
}

/** Below this width there is room for one pane: Tab goes from the list to the text. */
const TWO_PANES_CELLS = 64;
/** Rows of one request in the list. */
const ITEM_ROWS = 2;

/** The whole screen as lines: one row less than the terminal has. */
export function approveFrame(
  state: ApproveState,
  desk: DeskState,
  size: { readonly columns: number; readonly rows: number },
): Frame {
  const width = Math.max(20, size.columns);
  const bodyRows = Math.max(4, size.rows - 5);
  const listed = desk.requests.filter((request) => holds(request, state.filter));
  const chosen = listed.find(({ id }) => id === state.chosen) ?? listed[0];
  const two = width >= TWO_PANES_CELLS;
  const listWidth = two ? Math.min(40, Math.max(26, Math.floor(width * 0.36))) : width;
  const textWidth = two ? width - listWidth - 3 : width;
  const text = chosenLines(state, chosen, textWidth);
  const { rows, found } = markFound(text, state.needle);
  const textTop = Math.min(state.textTop, Math.max(0, rows.length - bodyRows));
  const itemRows = Math.max(1, Math.floor(bodyRows / ITEM_ROWS));
  const seen = windowAround(
    listed.length,
    itemRows,
    listed.findIndex(({ id }) => id === chosen?.id),
    state.listTop,
  );
  const list = listed
    .slice(seen.from, seen.to)
    .flatMap((request) => itemLines(request, request.id === chosen?.id, listWidth, state));
  const shown = rows.slice(textTop, textTop + bodyRows);
  const body = Array.from({ length: bodyRows }, (_, row): Line => {
    if (!two) return clipLine((state.focus === 'list' ? list[row] : shown[row]) ?? [], width);
    return [...padLine(list[row] ?? [], listWidth), piece(' │ ', 'dim'), ...clipLine(shown[row] ?? [], textWidth)];
  });
  const unseen = Math.max(0, rows.length - textTop - bodyRows);
  const layout: Layout = {
    ...{ listed, chosen, listRows: itemRows, textRows: bodyRows, textTotal: rows.length, found },
    previewRow: previewRow(text),
  };
  return {
    lines: [
      headLine(desk, listed.length, state, width),
      rule(state, width, two ? listWidth : 0),
      ...body,
      promptLine(state, layout, unseen, width),
      hintLine(hintsOf(state, chosen), width),
    ],
    layout,
    listTop: seen.from,
  };
}

function holds(request: RequestView, filter: string): boolean {
  const wanted = filter.trim().toLowerCase();
  if (wanted === '') return true;
  const { requester, connection, credential, text, reason, correlationId, rules } = request;
  const whole = [
    requester.email,
    requester.subject,
    ...requester.groups,
    connection,
    credential,
    text,
    reason,
    correlationId,
    ...rules.map(({ rule }) => rule),
  ];
  return whole.join('\n').toLowerCase().includes(wanted);
}

function chosenLines(state: ApproveState, chosen: RequestView | undefined, width: number): readonly Line[] {
  if (state.mode.kind === 'help') return HELP.map(([key, does]) => [piece(key.padEnd(16), 'bold'), piece(does)]);
  if (chosen === undefined) return [line('Nothing waits for you.', 'dim'), line('What comes is shown at once.', 'dim')];
  return detailLines(chosen, {
    width,
    nowMs: state.nowMs,
    formatted: state.formatted,
    preview: state.previews.get(chosen.id) ?? ownPreview(chosen),
    steps: state.steps.get(chosen.id),
  });
}

/** What its flow has found out of it already. */
function ownPreview({ preview, previewWanted, state }: RequestView): RequestPreview | 'asking' | undefined {
  return preview ?? (previewWanted === true && state === 'pending' ? 'asking' : undefined);
}

function itemLines(request: RequestView, chosen: boolean, width: number, { nowMs }: ApproveState): readonly Line[] {
  const { requester, state, expiresAt } = request;
  const name = requester.email === '' ? requester.subject : requester.email;
  const right = state === 'pending' ? timeLeft(Date.parse(expiresAt), nowMs) : state;
  const mark = chosen ? piece('› ', 'cyan') : piece('  ');
  const dim = !request.mayDecide;
  const who = padLine(
    [mark, piece(name, chosen ? 'bold' : dim ? 'dim' : 'plain')],
    Math.max(4, width - displayWidth(right) - 1),
  );
  const what = request.kind === 'access' ? 'access' : request.text.replace(/\s+/g, ' ').trim();
  return [
    clipLine([...who, piece(' '), piece(right, state === 'pending' ? 'yellow' : 'dim')], width),
    clipLine([piece('  '), piece(`${request.connection}: `, 'dim'), piece(what, 'dim')], width),
  ];
}

function headLine(desk: DeskState, listed: number, state: ApproveState, width: number): Line {
  const count = desk.requests.filter(({ mayDecide }) => mayDecide).length;
  const left: Piece[] = [
    piece('hoop approve', 'bold'),
    piece(`  ${String(count)} ${count === 1 ? 'waits' : 'wait'} for you`),
    ...(state.filter.trim() === '' ? [] : [piece(`  ${String(listed)} hold “${state.filter.trim()}”`, 'cyan')]),
  ];
  const right = lineStatus(desk.line, state.nowMs);
  const room = width - displayWidth(lineText(right));
  return room < 16 ? clipLine(right, width) : [...padLine(left, room), ...right];
}

function lineStatus(status: LineState, nowMs: number): Line {
  switch (status.kind) {
    case 'connecting':
      return [piece('connecting…', 'yellow')];
    case 'live':
      return [piece('● live', 'green')];
    case 'lost': {
      const seconds = Math.max(0, Math.ceil((status.retryAtMs - nowMs) / 1_000));
      return [piece(`○ not connected, again in ${String(seconds)} s`, 'red')];
    }
  }
}

function rule({ focus }: ApproveState, width: number, listWidth: number): Line {
  if (listWidth === 0) return [piece('─'.repeat(width), 'dim')];
  const [left, right] = [listWidth + 1, width - listWidth - 2];
  return [
    piece('─'.repeat(left), focus === 'list' ? 'cyan' : 'dim'),
    piece('┬', 'dim'),
    piece('─'.repeat(right), focus === 'text' ? 'cyan' : 'dim'),
  ];
}

/** The row of questions and answers: what is being typed, what a key asks to confirm, what became of it. */
function promptLine(state: ApproveState, { chosen }: Layout, unseen: number, width: number): Line {
  const { mode, notice } = state;
  switch (mode.kind) {
    case 'filter':
      return editRow('filter:', mode.edit, width);
    case 'search':
      return editRow('look for:', mode.edit, width);
    case 'deny':
      return editRow(notice === undefined ? 'deny, because:' : `${notice.text}:`, mode.edit, width);
    case 'approve-reason':
      return editRow('approve, because:', mode.edit, width);
    case 'duration':
      return editRow(notice === undefined ? 'approve for how long (30m, 1h)?' : `${notice.text}:`, mode.edit, width);
    case 'confirm': {
      if (chosen?.id !== mode.id || !chosen.mayDecide) return [piece('it is over: any key goes back', 'yellow')];
      const name = chosen.requester.email === '' ? chosen.requester.subject : chosen.requester.email;
      const span = mode.duration === undefined ? '' : ` for ${mode.duration}`;
      const more = unseen === 0 ? '' : ` (${String(unseen)} more rows below, unread)`;
      return clipLine([piece(`approve this of ${name}${span}?`, 'inverse'), piece(more, 'red')], width);
    }
    default:
      return notice === undefined ? more(unseen) : clipLine([piece(notice.text, notice.tone)], width);
  }
}

function more(unseen: number): Line {
  return unseen === 0 ? [] : [piece(`${String(unseen)} more rows below: Space`, 'dim')];
}

function hintsOf({ mode, focus, needle }: ApproveState, chosen: RequestView | undefined): readonly Hint[] {
  switch (mode.kind) {
    case 'confirm':
      return [
        ['y', 'approve'],
        ['r', 'with a reason'],
        ['Esc', 'back'],
      ];
    case 'help':
      return [['any key', 'back']];
    case 'browse':
      return [
        ...(chosen?.mayDecide === true ? DECIDING : []),
        ...(chosen?.mayDecide === true && chosen.maxDurationMs !== undefined ? [['t', 'for a time'] as const] : []),
        ...(chosen?.state === 'pending' && chosen.kind !== 'access' ? [['p', 'preview'] as const] : []),
        ['/', focus === 'text' ? 'search' : 'filter'],
        ...(needle === '' ? [] : [['n', 'next'] as const]),
        ['Tab', focus === 'text' ? 'list' : 'text'],
        ['?', 'keys'],
        ['q', 'quit'],
      ];
    default:
      return [
        ['Enter', 'done'],
        ['Esc', 'back'],
      ];
  }
}

const DECIDING: readonly Hint[] = [
  ['a', 'approve'],
  ['d', 'deny'],
];

const HELP: readonly Hint[] = [
  ['a', 'approve; y confirms'],
  ['d', 'deny, with a reason'],
  ['t', 'approve for a time'],
  ['p', 'try it out, rolled back'],
  ['↑ ↓ j k', 'other request, or scroll'],
  ['PgUp PgDn', 'a page'],
  ['Home End g G', 'to the ends'],
  ['Space b', 'scroll the text'],
  ['Tab ← →', 'list or text'],
  ['/', 'filter; in the text: search'],
  ['s n N', 'search the text; next'],
  ['w', 'as written, or by clauses'],
  ['Esc', 'no filter, no search'],
  ['q Ctrl-C', 'quit'],
];

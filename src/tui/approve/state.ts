import type { RequestPreview, RequestView } from '../../core/approval.js';
import type { KeyPress } from '../keys.js';
import { editLine, emptyEdit, type LineEdit } from '../line-edit.js';
import { moved, scrolled } from '../scrolling.js';
import type { Tone } from '../lines.js';
import type { DecisionReasons, EarlierStep } from './desk.js';

/** What the keys mean at the moment. What decides is bound to the request it was begun for, whatever is chosen since. */
export type Mode =
  | { readonly kind: 'browse' }
  | { readonly kind: 'help' }
  | { readonly kind: 'filter' | 'search'; readonly edit: LineEdit }
  | { readonly kind: 'deny' | 'approve-reason' | 'duration'; readonly id: string; readonly edit: LineEdit }
  /** The second step of an approval, asked for at `sinceMs`. */
  | {
      readonly kind: 'confirm';
      readonly id: string;
      readonly reason: string;
      readonly duration?: string;
      readonly sinceMs: number;
    };

export interface ApproveState {
  readonly mode: Mode;
  /** What an approval says, unless another reason is typed. */
  readonly reason: string;
  /** What stands there already when a denial asks why. */
  readonly denyReason: string;
  /** Id of the request that is read. */
  readonly chosen: string;
  readonly focus: 'list' | 'text';
  readonly listTop: number;
  readonly textTop: number;
  readonly filter: string;
  /** What is looked for in the text. */
  readonly needle: string;
  readonly formatted: boolean;
  readonly notice: { readonly text: string; readonly tone: Tone } | undefined;
  readonly nowMs: number;
  readonly previews: ReadonlyMap<string, RequestPreview | 'asking' | { readonly failed: string }>;
  readonly steps: ReadonlyMap<string, readonly EarlierStep[] | 'reading' | 'not-yours'>;
}

/** What a key asks for besides another state. */
export type Effect =
  | { readonly kind: 'approve'; readonly id: string; readonly reason: string; readonly duration?: string }
  | { readonly kind: 'deny'; readonly id: string; readonly reason: string }
  | { readonly kind: 'preview'; readonly id: string }
  | { readonly kind: 'quit' };

/** What a key needs to know of what is on the screen. */
export interface Layout {
  /** Requests of the list, as filtered. */
  readonly listed: readonly RequestView[];
  readonly chosen: RequestView | undefined;
  readonly listRows: number;
  readonly textRows: number;
  readonly textTotal: number;
  /** Rows of the text that hold what is looked for. */
  readonly found: readonly number[];
  /** Row of the text at which the preview begins; -1 without one. */
  readonly previewRow: number;
}

export interface Answered {
  readonly state: ApproveState;
  readonly effect?: Effect;
}

export function firstState(nowMs: number, reasons: DecisionReasons = {}): ApproveState {
  return {
    mode: { kind: 'browse' },
    reason: reasons.approve ?? '',
    denyReason: reasons.deny ?? '',
    chosen: '',
    focus: 'list',
    listTop: 0,
    textTop: 0,
    filter: '',
    needle: '',
    formatted: true,
    notice: undefined,
    nowMs,
    previews: new Map(),
    steps: new Map(),
  };
}

type TypingMode = Extract<Mode, { readonly edit: LineEdit }>;

const BROWSE: Mode = { kind: 'browse' };

/** The state after a key, and what it asks for. */
export function answerKey(state: ApproveState, layout: Layout, key: KeyPress): Answered {
  if (key.name === 'ctrl-c') return { state, effect: { kind: 'quit' } };
  const { mode } = state;
  switch (mode.kind) {
    case 'browse':
      return browse({ ...state, notice: undefined }, layout, key);
    case 'help':
      return { state: { ...state, mode: BROWSE } };
    case 'confirm':
      return confirm(state, mode, layout, key);
    default:
      return typing(state, mode, key);
  }
}

function browse(state: ApproveState, layout: Layout, key: KeyPress): Answered {
  const letter = key.name === 'char' ? key.text : '';
  if (letter === ' ' || letter === 'b') {
    const page: KeyPress = { name: letter === ' ' ? 'page-down' : 'page-up', text: '', alone: key.alone };
    return { state: scrollText(state, layout, page) };
  }
  const decided = letter === '' ? undefined : decide(state, layout.chosen, letter);
  if (decided !== undefined) return decided;
  const other = letter === '' ? undefined : otherKey(state, layout, letter);
  if (other !== undefined) return other;
  if (key.name === 'tab' || key.name === 'left' || key.name === 'right' || key.name === 'enter')
    return { state: { ...state, focus: focusAfter(state, key) } };
  if (key.name === 'escape') return { state: { ...state, filter: '', needle: '', focus: 'list' } };
  return { state: state.focus === 'text' ? scrollText(state, layout, key) : moveChoice(state, layout, key) };
}

function focusAfter({ focus }: ApproveState, key: KeyPress): 'list' | 'text' {
  if (key.name === 'tab') return focus === 'list' ? 'text' : 'list';
  return key.name === 'left' ? 'list' : 'text';
}

/** The first step of a decision; the second asks once more. */
function decide(state: ApproveState, chosen: RequestView | undefined, letter: string): Answered | undefined {
  if (letter !== 'a' && letter !== 'd' && letter !== 't' && letter !== 'p') return undefined;
  if (chosen === undefined) return { state: withNotice(state, 'nothing is chosen') };
  if (letter === 'p') return preview(state, chosen);
  if (!chosen.mayDecide)
    return {
      state: withNotice(
        state,
        chosen.state === 'pending' ? 'this one is not yours to decide' : `this one is ${chosen.state} already`,
      ),
    };
  const { id } = chosen;
  if (letter === 'a')
    return { state: { ...state, mode: { kind: 'confirm', id, reason: state.reason, sinceMs: state.nowMs } } };
  if (letter === 'd') return { state: { ...state, mode: { kind: 'deny', id, edit: emptyEdit(state.denyReason) } } };
  if (chosen.maxDurationMs === undefined)
    return { state: withNotice(state, 'its flow lets nobody approve it for a time') };
  return { state: { ...state, mode: { kind: 'duration', id, edit: emptyEdit() } } };
}

function preview(state: ApproveState, { id }: RequestView): Answered {
  if (state.previews.get(id) === 'asking') return { state };
  const previews = new Map(state.previews).set(id, 'asking');
  return { state: { ...state, previews }, effect: { kind: 'preview', id } };
}

function otherKey(state: ApproveState, layout: Layout, letter: string): Answered | undefined {
  switch (letter) {
    case 'q':
      return { state, effect: { kind: 'quit' } };
    case '?':
      return { state: { ...state, mode: { kind: 'help' } } };
    case 'w':
      return { state: { ...state, formatted: !state.formatted, textTop: 0 } };
    case '/':
      return state.focus === 'text'
        ? { state: { ...state, mode: { kind: 'search', edit: emptyEdit(state.needle) } } }
        : { state: { ...state, mode: { kind: 'filter', edit: emptyEdit(state.filter) } } };
    case 's':
      return { state: { ...state, mode: { kind: 'search', edit: emptyEdit(state.needle) } } };
    case 'n':
    case 'N':
      return { state: nextFound(state, layout, letter === 'n') };
    default:
      return undefined;
  }
}

function nextFound(state: ApproveState, { found, textTotal, textRows }: Layout, forward: boolean): ApproveState {
  if (state.needle === '') return state;
  const rows = forward
    ? [...found.filter((row) => row > state.textTop), ...found]
    : [...found.filter((row) => row < state.textTop).reverse(), ...[...found].reverse()];
  const [row] = rows;
  if (row === undefined) return withNotice(state, 'not found');
  return { ...state, textTop: Math.min(row, Math.max(0, textTotal - textRows)) };
}

function scrollText(state: ApproveState, { textTotal, textRows }: Layout, key: KeyPress): ApproveState {
  const textTop = scrolled(state.textTop, textTotal, textRows, key);
  return textTop === undefined ? state : { ...state, textTop };
}

function moveChoice(state: ApproveState, { listed, chosen, listRows }: Layout, key: KeyPress): ApproveState {
  const at = Math.max(
    0,
    listed.findIndex(({ id }) => id === chosen?.id),
  );
  const to = moved(at, listed.length, listRows, key);
  const next = to === undefined ? undefined : listed[to];
  return next === undefined || next.id === state.chosen ? state : { ...state, chosen: next.id, textTop: 0 };
}

/** Nobody reads a question faster; but prose that meets a screen instead of a line to type on has “ay” in it. */
const READ_MS = 250;

/** Only `y`, on its own, goes ahead: what comes in a burst may be somebody's clipboard. */
function confirm(
  state: ApproveState,
  mode: Extract<Mode, { readonly kind: 'confirm' }>,
  layout: Layout,
  key: KeyPress,
): Answered {
  const browsing = { ...state, mode: BROWSE };
  if (key.name === 'char' && key.text === 'r')
    return { state: { ...state, mode: { kind: 'approve-reason', id: mode.id, edit: emptyEdit(mode.reason) } } };
  if (key.name !== 'char' || key.text !== 'y') return { state: withNotice(browsing, 'not approved') };
  if (!key.alone || state.nowMs - mode.sinceMs < READ_MS)
    return { state: withNotice(browsing, 'not approved: press a, read, then y on its own') };
  if (layout.chosen?.id !== mode.id || !layout.chosen.mayDecide)
    return { state: withNotice(browsing, 'not approved: it is over') };
  const { id, reason, duration } = mode;
  return {
    state: withNotice(browsing, 'approving…', 'dim'),
    effect: { kind: 'approve', id, reason, ...(duration === undefined ? {} : { duration }) },
  };
}

const DURATION = /^\s*\d+\s*[smhd]\s*$/;

function typing(state: ApproveState, mode: TypingMode, key: KeyPress): Answered {
  if (key.name === 'escape') return { state: leaveTyping(state, mode) };
  if (key.name !== 'enter') {
    const next = { ...mode, edit: editLine(mode.edit, key) };
    // The list narrows as one types.
    const filter = mode.kind === 'filter' ? next.edit.text : state.filter;
    return { state: { ...state, mode: next, filter } };
  }
  const text = mode.edit.text.trim();
  switch (mode.kind) {
    case 'filter':
      return { state: { ...state, mode: BROWSE, filter: text } };
    case 'search':
      return { state: { ...state, mode: BROWSE, needle: text, focus: 'text' } };
    case 'deny':
      // A second step too: a stray key and a stray Enter deny nothing.
      if (text === '' || !key.alone) return { state: withNotice(state, 'type why, then Enter on its own') };
      return {
        state: withNotice({ ...state, mode: BROWSE }, 'denying…', 'dim'),
        effect: { kind: 'deny', id: mode.id, reason: text },
      };
    case 'approve-reason':
      return { state: { ...state, mode: { kind: 'confirm', id: mode.id, reason: text, sinceMs: state.nowMs } } };
    case 'duration':
      if (!DURATION.test(text)) return { state: withNotice(state, 'a time is a number and s, m, h or d: 30m') };
      return {
        state: {
          ...state,
          mode: {
            kind: 'confirm',
            id: mode.id,
            reason: state.reason,
            duration: text.replace(/\s+/g, ''),
            sinceMs: state.nowMs,
          },
        },
      };
  }
}

function leaveTyping(state: ApproveState, mode: TypingMode): ApproveState {
  const filter = mode.kind === 'filter' ? '' : state.filter;
  return { ...state, mode: BROWSE, filter, notice: undefined };
}

export function withNotice(state: ApproveState, text: string, tone: Tone = 'yellow'): ApproveState {
  return { ...state, notice: { text, tone } };
}

/**
 * The state after news: says how the chosen request ended, and goes on to the next that can be decided, unless
 * something is being typed or asked about it.
 *
 * @param wasPending the chosen one waited when the desk was looked at last
 */
export function afterNews(state: ApproveState, requests: readonly RequestView[], wasPending: boolean): ApproveState {
  const chosen = requests.find(({ id }) => id === state.chosen);
  const told = chosen !== undefined && wasPending && chosen.state !== 'pending' ? endedNotice(state, chosen) : state;
  if (state.mode.kind !== 'browse' || chosen?.state === 'pending') return told;
  const next = requests.find(({ mayDecide }) => mayDecide);
  return next === undefined || next.id === state.chosen ? told : { ...told, chosen: next.id, textTop: 0 };
}

function endedNotice(state: ApproveState, { requester, ...request }: RequestView): ApproveState {
  const name = requester.email === '' ? requester.subject : requester.email;
  const by = request.decidedBy === '' ? '' : ` by ${request.decidedBy}`;
  const why = request.decisionReason === '' ? '' : `: ${request.decisionReason}`;
  const tone = request.state === 'approved' ? 'green' : request.state === 'denied' ? 'red' : 'yellow';
  return withNotice(state, `${name}: ${request.state}${by}${why}`, tone);
}

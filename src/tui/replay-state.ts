import type { ReplayAction } from '../core/replay-frame.js';
import type { KeyPress } from './keys.js';
import { editLine, emptyEdit } from './line-edit.js';
import type { LineEdit } from './line-edit.js';

/** What a player's screen keeps of its own; where the recording stands is the player's. */
export interface ReplayState {
  /** Rows scrolled back from the newest. */
  readonly back: number;
  readonly mode: 'play' | 'help' | 'search' | 'go';
  readonly edit: LineEdit;
  /** Said until the next key. */
  readonly fault: string;
}

export interface ReplayStep {
  readonly state: ReplayState;
  readonly action?: ReplayAction;
  readonly quit?: true;
}

export const FIRST_STATE: ReplayState = { back: 0, mode: 'play', edit: emptyEdit(), fault: '' };

const SECONDS_5 = 5_000;
const MINUTE = 60_000;

const LETTERS: Readonly<Record<string, ReplayAction>> = {
  ' ': { kind: 'toggle' },
  '.': { kind: 'step', direction: 1 },
  ',': { kind: 'step', direction: -1 },
  '>': { kind: 'seek', byMs: MINUTE },
  '<': { kind: 'seek', byMs: -MINUTE },
  j: { kind: 'statement', direction: 1 },
  k: { kind: 'statement', direction: -1 },
  b: { kind: 'blocked', direction: 1 },
  B: { kind: 'blocked', direction: -1 },
  a: { kind: 'approval', direction: 1 },
  A: { kind: 'approval', direction: -1 },
  n: { kind: 'found', direction: 1 },
  N: { kind: 'found', direction: -1 },
  '+': { kind: 'speed', direction: 1 },
  '=': { kind: 'speed', direction: 1 },
  '-': { kind: 'speed', direction: -1 },
  i: { kind: 'idle' },
  f: { kind: 'follow' },
  g: { kind: 'start' },
  G: { kind: 'end' },
};

const NAMED: Readonly<Record<string, ReplayAction>> = {
  left: { kind: 'seek', byMs: -SECONDS_5 },
  right: { kind: 'seek', byMs: SECONDS_5 },
  up: { kind: 'statement', direction: -1 },
  down: { kind: 'statement', direction: 1 },
  home: { kind: 'start' },
  end: { kind: 'end' },
};

/** @param height rows of the transcript that are seen, @param rows all there are to scroll through */
export function replayKey(state: ReplayState, key: KeyPress, height: number, rows: number): ReplayStep {
  if (key.name === 'ctrl-c') return { state, quit: true };
  if (state.mode === 'search' || state.mode === 'go') return typed(state, key);
  if (state.mode === 'help') return { state: { ...state, mode: 'play' } };
  const calm = { ...state, fault: '' };
  const page = Math.max(1, height - 1);
  if (key.name === 'page-up')
    return { state: { ...calm, back: Math.min(calm.back + page, Math.max(0, rows - height)) } };
  if (key.name === 'page-down') return { state: { ...calm, back: Math.max(0, calm.back - page) } };
  const action = key.name === 'char' ? letterAction(key.text) : NAMED[key.name];
  if (action !== undefined) return { state: { ...calm, back: 0 }, action };
  if (key.name !== 'char') return { state: calm };
  if (key.text === 'q') return { state, quit: true };
  if (key.text === '?' || key.text === 'h') return { state: { ...calm, mode: 'help' } };
  if (key.text === '/') return { state: { ...calm, mode: 'search', edit: emptyEdit() } };
  if (key.text === 't') return { state: { ...calm, mode: 'go', edit: emptyEdit() } };
  return { state: calm };
}

function letterAction(letter: string): ReplayAction | undefined {
  if (/^\d$/.test(letter)) return { kind: 'part', part: Number(letter) / 10 };
  return Object.hasOwn(LETTERS, letter) ? LETTERS[letter] : undefined;
}

function typed(state: ReplayState, key: KeyPress): ReplayStep {
  const over: ReplayState = { ...state, mode: 'play', back: 0, fault: '' };
  if (key.name === 'escape') return { state: over };
  if (key.name !== 'enter') return { state: { ...state, edit: editLine(state.edit, key) } };
  const text = state.edit.text.trim();
  if (state.mode === 'search') return { state: over, action: { kind: 'search', pattern: text } };
  const action = text === '' ? undefined : placeOf(text);
  if (action !== undefined) return { state: over, action };
  return { state: { ...over, fault: text === '' ? '' : 'write 1:30, 90s, +10s, -1m or #120' } };
}

/** `1:30`, `1:02:03`, `90s`, `+10s`, `-1m`: a time; `#120` or `120`: an event. */
export function placeOf(text: string): ReplayAction | undefined {
  const event = /^#?(\d{1,9})$/.exec(text)?.[1];
  if (event !== undefined) return { kind: 'event', event: Number(event) };
  const sign = /^[+-]/.exec(text)?.[0] ?? '';
  const ms = timeOf(text.slice(sign.length));
  if (ms === undefined) return undefined;
  return sign === '' ? { kind: 'time', atMs: ms } : { kind: 'seek', byMs: sign === '-' ? -ms : ms };
}

const UNITS: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };

function timeOf(text: string): number | undefined {
  const clock = /^(?:(\d{1,4}):)?(\d{1,4}):(\d{1,2}(?:\.\d{1,6})?)$/.exec(text);
  if (clock !== null) return ((Number(clock[1] ?? 0) * 60 + Number(clock[2])) * 60 + Number(clock[3])) * 1000;
  if (!/^(?:\d{1,9}(?:\.\d{1,6})?(?:ms|s|m|h|d))+$/.test(text)) return undefined;
  let ms = 0;
  for (const [, count, unit] of text.matchAll(/([\d.]+)(ms|s|m|h|d)/g)) ms += Number(count) * (UNITS[unit ?? ''] ?? 0);
  return ms;
}

import type { ReplayFrame, ReplayRow, ScreenPiece, Sense } from '../core/replay-frame.js';
import type { Hint } from './bars.js';
import { clipLine, markFound, padLine, piece, wrapLine } from './lines.js';
import type { Line, Piece, Tone } from './lines.js';

const TONES: Readonly<Record<Sense, Tone>> = {
  plain: 'plain',
  about: 'dim',
  asked: 'bold',
  allowed: 'green',
  warned: 'yellow',
  blocked: 'red',
  held: 'yellow',
  failed: 'red',
  rows: 'plain',
};

/** A terminal of 80 columns shows all but the last two: those that lead to the others, and out, stand before them. */
export const HINTS: readonly Hint[] = [
  ['space', 'stop/go'],
  ['←→', '5 s'],
  ['↑↓', 'statement'],
  ['b', 'blocked'],
  ['a', 'approval'],
  ['?', 'keys'],
  ['q', 'quit'],
  ['/', 'search'],
  ['+-', 'speed'],
];

export const HELP: readonly (readonly [keys: string, does: string])[] = [
  ['space', 'stop and go on; at the end: from the start'],
  ['← →', 'back and on by 5 seconds'],
  ['< >', 'back and on by a minute'],
  ['↑ ↓  k j', 'the statement before, the next one'],
  [', .', 'one event back, one on'],
  ['b B', 'the next that was blocked, the one before'],
  ['a A', 'the next approval, the one before'],
  ['/', 'search: text or a regular expression'],
  ['n N', 'the next that was found, the one before'],
  ['t', 'go to a time (1:30, 90s, +10s) or an event (#120)'],
  ['0 … 9', 'to a tenth of the whole'],
  ['g G', 'to the start, to the end'],
  ['+ -', 'faster, slower'],
  ['i', 'cut long pauses, or let them be'],
  ['f', 'stay at the end while a live session goes on'],
  ['page up/down', 'scroll what is shown'],
  ['q', 'quit'],
];

export function helpLines(width: number): readonly Line[] {
  const rows = HELP.map(([keys, does]): Line => [piece(`  ${keys.padEnd(14)}`, 'bold'), piece(does)]);
  return [[], [piece('  Keys', 'cyan')], [], ...rows, [], [piece('  any key goes back', 'dim')]].map((row) =>
    clipLine(row, width),
  );
}

/** The transcript as rows of the screen; what is searched for is turned around. */
export function transcriptLines(rows: readonly ReplayRow[], width: number, pattern: string): readonly Line[] {
  const lines = rows.flatMap((row) => wrapLine([piece(row.text, TONES[row.sense])], width, { indent: 4 }));
  return markFound(lines, pattern).rows;
}

/** The part that is seen: the newest at the bottom, unless scrolled back. */
export function seenLines(lines: readonly Line[], height: number, back: number): readonly Line[] {
  const end = Math.max(Math.min(height, lines.length), lines.length - back);
  return lines.slice(Math.max(0, end - height), end);
}

/** The screen of a terminal session; cut where the reader's is smaller. */
export function screenLines(
  screen: readonly (readonly ScreenPiece[])[],
  width: number,
  height: number,
): readonly Line[] {
  return screen.slice(0, height).map((row) =>
    clipLine(
      row.map((part): Piece => ({ text: part.text, tone: toneOf(part) })),
      width,
    ),
  );
}

function toneOf({ colour, bold, dim, inverse }: ScreenPiece): Tone {
  if (inverse === true) return 'inverse';
  return colour ?? (bold === true ? 'bold' : dim === true ? 'dim' : 'plain');
}

export function titleLine(frame: ReplayFrame, width: number): Line {
  return padLine([piece(' hoop replay ', 'inverse'), piece(` ${frame.title}`, 'bold')], width);
}

/** `▶ 0:12.3 ━━━━●──✗──── 4:10.0  2×  idle 2s  event 12/4821` */
export function timeLine(frame: ReplayFrame, width: number): Line {
  const state = frame.following ? '● live' : frame.playing ? '▶' : '⏸';
  const before = `${state} ${clock(frame.atMs)} `;
  const idle = frame.idleLimitMs === undefined ? '' : `  idle ${seconds(frame.idleLimitMs)}`;
  const after = ` ${clock(frame.lengthMs)}  ${String(frame.speed)}×${idle}  event ${String(frame.event)}/${String(frame.events)}`;
  const room = Math.max(4, width - before.length - after.length - 1);
  return clipLine([piece(before, 'bold'), ...bar(frame, room), piece(after)], width);
}

function bar(frame: ReplayFrame, cells: number): readonly Piece[] {
  const part = frame.lengthMs === 0 ? (frame.event === 0 ? 0 : 1) : frame.atMs / frame.lengthMs;
  const head = Math.min(cells - 1, Math.floor(part * cells));
  const marks = new Map<number, 'blocked' | 'approval'>();
  // Blocks stand behind approvals in the list, so that they are the ones seen where both fall into a cell.
  for (const { at, kind } of frame.marks) marks.set(Math.min(cells - 1, Math.max(0, Math.floor(at * cells))), kind);
  return Array.from({ length: cells }, (_, cell): Piece => {
    if (cell === head) return { text: '●', tone: 'bold' };
    const mark = marks.get(cell);
    if (mark !== undefined) return mark === 'blocked' ? { text: '✗', tone: 'red' } : { text: '◆', tone: 'yellow' };
    return cell < head ? { text: '━', tone: 'cyan' } : { text: '─', tone: 'dim' };
  });
}

/** What is to be known besides: counts, what is waited for, what was not found. */
export function noteLine(frame: ReplayFrame, fault: string, width: number): Line {
  const { statements, blocked, approvals } = frame.counts;
  const said = fault === '' ? frame.message : fault;
  const parts: Piece[] = [piece(`${String(statements)} ${statements === 1 ? 'statement' : 'statements'}`)];
  const gap = piece(' · ', 'dim');
  if (blocked > 0) parts.push(gap, piece(`✗ ${String(blocked)} blocked`, 'red'));
  if (approvals > 0) parts.push(gap, piece(`◆ ${String(approvals)} approval events`, 'yellow'));
  if (frame.pattern !== '') parts.push(gap, piece(`/${frame.pattern}`));
  if (frame.read < 1 && !frame.following) {
    parts.push(gap, piece(frame.read > 0 ? `reading ${String(Math.floor(frame.read * 100))} %` : 'reading', 'dim'));
  }
  if (said !== '') parts.push(gap, piece(said, 'yellow'));
  else if (frame.nextInMs !== undefined && frame.nextInMs >= 3000) {
    parts.push(gap, piece(`next event in ${seconds(frame.nextInMs)}; . goes to it`, 'dim'));
  }
  return clipLine(parts, width);
}

/** `0:12.3`, `1:02:03.4` */
export function clock(ms: number): string {
  const tenths = Math.floor(ms / 100);
  const total = Math.floor(tenths / 10);
  const pad = (count: number): string => String(count).padStart(2, '0');
  const hours = Math.floor(total / 3600);
  const minutes = Math.floor(total / 60) % 60;
  const shown = hours > 0 ? `${String(hours)}:${pad(minutes)}` : String(minutes);
  return `${shown}:${pad(total % 60)}.${String(tenths % 10)}`;
}

function seconds(ms: number): string {
  const rounded = ms < 10_000 ? Math.round(ms / 100) / 10 : Math.round(ms / 1000);
  return `${String(rounded)}s`;
}

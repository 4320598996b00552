import type { RequestView } from '../../core/approval.js';
import { displayWidth } from '../../core/display.js';
import { type Hint, hintLine } from '../bars.js';
import { byteText, timeLeft } from '../figures.js';
import { clipLine, type Line, lineText, padLine, piece, wrapLine } from '../lines.js';
import type { ConnectState, LogEntry } from './state.js';

/** What is drawn, and what keys need to know of it. */
export interface Frame {
  readonly lines: readonly Line[];
  readonly logRows: number;
}

/** The whole screen as lines: one row less than the terminal has. The log gets what the rest leaves, 3 rows at least. */
export function connectFrame(state: ConnectState, size: { readonly columns: number; readonly rows: number }): Frame {
  const width = Math.max(20, size.columns);
  const total = Math.max(8, size.rows - 1);
  const holds = state.holds.flatMap((hold) => holdLines(hold, state.nowMs, width));
  const upper = [
    ...state.places.flatMap((place) => placeLines(state, place, width)),
    ...(holds.length === 0 ? [] : [titleLine('waiting', width), ...holds]),
  ].slice(0, total - 6);
  const logRows = total - upper.length - 3;
  const end = state.log.length - Math.min(state.back, Math.max(0, state.log.length - logRows));
  const log = state.log.slice(Math.max(0, end - logRows), end).map((entry) => logLine(entry, width));
  const shown = [headLine(state, width), ...upper, titleLine('statements', width), ...log];
  const padding: Line[] = Array.from({ length: Math.max(0, total - 1 - shown.length) }, () => []);
  return { lines: [...shown, ...padding, footLine(state, width)], logRows };
}

function headLine({ whoami, nowMs }: ConnectState, width: number): Line {
  const left: Line = [
    piece('hoop connect', 'bold'),
    ...(whoami === undefined
      ? []
      : [piece(`  ${whoami.name}`), piece(` (${whoami.groups.join(', ') || 'no groups'})`, 'dim')]),
  ];
  const right = whoami === undefined ? '' : `token ${timeLeft(whoami.tokenEndsAtMs, nowMs)} left`;
  const room = width - displayWidth(right);
  return room < 16 ? clipLine(left, width) : [...padLine(left, room), piece(right, 'dim')];
}

function placeLines(state: ConnectState, place: ConnectState['places'][number], width: number): readonly Line[] {
  const { connection, where, hint, sessions, broken } = place;
  const traffic = state.traffic.get(connection) ?? { sent: 0, received: 0 };
  const status =
    broken === undefined
      ? [piece(`${String(sessions.size)} ${sessions.size === 1 ? 'session' : 'sessions'}`)]
      : [piece(brokenText(broken, state.nowMs), 'red')];
  return [
    clipLine(
      [
        broken === undefined ? piece('● ', 'green') : piece('○ ', 'red'),
        piece(connection, 'bold'),
        piece('  '),
        piece(where, 'cyan'),
        piece('  '),
        ...status,
        piece(`  ↑ ${byteText(traffic.sent)} ↓ ${byteText(traffic.received)}`, 'dim'),
      ],
      width,
    ),
    // Whole, over several rows where it has to be: it is there to be copied.
    ...(hint === undefined ? [] : wrapLine([piece('  '), piece(hint)], width)),
  ];
}

function brokenText(broken: { readonly why: string; readonly retryAtMs: number | undefined }, nowMs: number): string {
  if (broken.retryAtMs === undefined) return `not connected: ${broken.why}`;
  return `reconnecting in ${String(Math.max(0, Math.ceil((broken.retryAtMs - nowMs) / 1_000)))} s: ${broken.why}`;
}

/** `waiting for dba (1 of 2), 4:12 left` */
function holdLines(hold: RequestView, nowMs: number, width: number): readonly Line[] {
  const open = (hold.progress ?? []).flatMap(({ entries }) => entries.filter(({ given, count }) => given < count));
  const whom =
    open.length === 0
      ? hold.flows.join(', ')
      : open
          .map(({ groups, given, count }) => `${groups.join(' or ')} (${String(given)} of ${String(count)})`)
          .join(', ');
  const text = hold.kind === 'access' ? 'access' : hold.text.replace(/\s+/g, ' ').trim();
  const waits: Line = [
    piece(`${hold.connection}: `, 'cyan'),
    piece(`waiting for ${whom}, ${timeLeft(Date.parse(hold.expiresAt), nowMs)} left`, 'yellow'),
  ];
  // Whole, in a row of its own where it has to be: people send it to their reviewer.
  const command = piece(`  hoop approve ${hold.id}`, 'dim');
  const oneRow = displayWidth(lineText([...waits, command])) <= width;
  return [
    ...(oneRow ? [[...waits, command]] : [clipLine(waits, width), ...wrapLine([command], width)]),
    clipLine([piece('  '), piece(text)], width),
  ];
}

const WHAT_CELLS = 9;

function logLine({ atMs, connection, what, tone, text }: LogEntry, width: number): Line {
  return clipLine(
    [
      piece(`${new Date(atMs).toTimeString().slice(0, 8)} `, 'dim'),
      piece(`${connection} `, 'cyan'),
      ...padLine([piece(what, tone)], WHAT_CELLS),
      piece(text),
    ],
    width,
  );
}

function titleLine(title: string, width: number): Line {
  const line: Line = [piece('── ', 'dim'), piece(title, 'dim'), piece(' ', 'dim')];
  return [...line, piece('─'.repeat(Math.max(0, width - displayWidth(lineText(line)))), 'dim')];
}

function footLine({ leaving, places, back }: ConnectState, width: number): Line {
  const open = places.reduce((sum, { sessions }) => sum + sessions.size, 0);
  if (leaving)
    return clipLine(
      [
        piece(
          `q again ends ${String(open)} open ${open === 1 ? 'session' : 'sessions'}; any other key stays`,
          'yellow',
        ),
      ],
      width,
    );
  const hints: readonly Hint[] = [
    ['q', 'close the ports'],
    ['↑ ↓', 'scroll'],
    ...(back === 0 ? [] : [['End', 'newest'] as const]),
  ];
  return hintLine(hints, width);
}

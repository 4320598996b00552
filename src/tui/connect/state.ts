import type { RequestView } from '../../core/approval.js';
import type { KeyPress } from '../keys.js';
import type { Tone } from '../lines.js';
import { scrolled } from '../scrolling.js';

/** An open port. */
export interface Place {
  readonly connection: string;
  readonly type: string;
  /** `127.0.0.1:15432`, or a path. */
  readonly where: string;
  /** What to type; undefined where there is nothing to show. */
  readonly hint: string | undefined;
}

export interface Traffic {
  readonly sent: number;
  readonly received: number;
}

export interface Whoami {
  readonly name: string;
  readonly groups: readonly string[];
  /** Milliseconds of the epoch. */
  readonly tokenEndsAtMs: number;
}

/** One thing that happened on a connection. */
export interface LogEntry {
  readonly atMs: number;
  readonly connection: string;
  readonly what: string;
  readonly tone: Tone;
  readonly text: string;
}

interface PlaceState extends Place {
  readonly sessions: ReadonlySet<string>;
  /** Why it has no tunnel; undefined while it has one. */
  readonly broken: { readonly why: string; readonly retryAtMs: number | undefined } | undefined;
}

export interface ConnectState {
  readonly places: readonly PlaceState[];
  readonly traffic: ReadonlyMap<string, Traffic>;
  readonly whoami: Whoami | undefined;
  /** Requests of one's own that wait. */
  readonly holds: readonly RequestView[];
  /** Oldest first. */
  readonly log: readonly LogEntry[];
  /** Rows that the log is scrolled up from its end. */
  readonly back: number;
  /** The next `q` ends it. */
  readonly leaving: boolean;
  readonly nowMs: number;
}

/** What came from a tunnel or its keeper; its fields are another program's. */
export type ConnectionEvent = Readonly<Record<string, unknown>> & {
  readonly event: string;
  readonly connection: string;
};

const MAX_LOG = 500;

export function connectState(places: readonly Place[], nowMs: number): ConnectState {
  return {
    places: places.map((place) => ({ ...place, sessions: new Set(), broken: undefined })),
    traffic: new Map(),
    whoami: undefined,
    holds: [],
    log: [],
    back: 0,
    leaving: false,
    nowMs,
  };
}

export function afterEvent(state: ConnectState, event: ConnectionEvent, nowMs: number): ConnectState {
  const places = state.places.map((place) =>
    place.connection === event.connection ? placeAfter(place, event, nowMs) : place,
  );
  const entry = entryOf(event, nowMs);
  return { ...state, nowMs, places, ...(entry === undefined ? {} : logged(state, entry)) };
}

function logged({ log, back }: ConnectState, entry: LogEntry): Pick<ConnectState, 'log' | 'back'> {
  // What one has scrolled to stays where it is.
  return { log: [...log, entry].slice(-MAX_LOG), back: back === 0 ? 0 : Math.min(back + 1, MAX_LOG) };
}

/** A line of the log that no connection has said. */
export function afterNote(state: ConnectState, text: string, nowMs: number): ConnectState {
  return { ...state, ...logged(state, { atMs: nowMs, connection: 'hoop', what: '', tone: 'plain', text }) };
}

function placeAfter(place: PlaceState, event: ConnectionEvent, nowMs: number): PlaceState {
  switch (event.event) {
    case 'session.opened':
      return { ...place, sessions: new Set(place.sessions).add(field(event, 'session')) };
    case 'session.closed': {
      const sessions = new Set(place.sessions);
      sessions.delete(field(event, 'session'));
      return { ...place, sessions };
    }
    case 'reconnecting': {
      const inMs = event['inMs'];
      return {
        ...place,
        broken: { why: field(event, 'why'), retryAtMs: typeof inMs === 'number' ? nowMs + inMs : undefined },
      };
    }
    case 'disconnected':
      return { ...place, broken: { why: field(event, 'why'), retryAtMs: undefined } };
    case 'reconnected':
      return { ...place, broken: undefined };
    default:
      return place;
  }
}

function entryOf(event: ConnectionEvent, atMs: number): LogEntry | undefined {
  const entry = (what: string, tone: Tone, ...parts: readonly string[]): LogEntry => ({
    atMs,
    connection: event.connection,
    what,
    tone,
    text: parts.filter((part) => part !== '').join(' '),
  });
  switch (event.event) {
    case 'statement':
      return statementEntry(event, entry);
    case 'blocked':
      return entry('blocked', 'red', field(event, 'rule'), field(event, 'message'));
    case 'approval.resolved': {
      const outcome = field(event, 'outcome');
      const by = field(event, 'by');
      const tone = outcome === 'approved' ? 'green' : 'red';
      return entry(outcome, tone, by === '' ? '' : `by ${by}`, field(event, 'reason'));
    }
    case 'refused':
      return entry('refused', 'red', 'a local connection:', field(event, 'why'));
    case 'reconnecting':
      return event['attempt'] === 1 ? entry('broken', 'yellow', field(event, 'why')) : undefined;
    case 'reconnected':
      return entry('back', 'green');
    case 'disconnected':
      return entry('broken', 'red', field(event, 'why'), field(event, 'suggestion'));
    default:
      return undefined;
  }
}

const VERDICT_TONES: Readonly<Record<string, Tone>> = {
  allow: 'green',
  warn: 'yellow',
  approve: 'yellow',
  block: 'red',
};
const VERDICT_WORDS: Readonly<Record<string, string>> = { approve: 'waits', block: 'block' };

function statementEntry(
  event: ConnectionEvent,
  entry: (what: string, tone: Tone, ...parts: readonly string[]) => LogEntry,
): LogEntry {
  const action = field(event, 'action');
  const skipped = event['skipped'];
  const more = typeof skipped === 'number' ? `(and ${String(skipped)} before)` : '';
  const text = field(event, 'text').replace(/\s+/g, ' ').trim();
  return entry(VERDICT_WORDS[action] ?? action, VERDICT_TONES[action] ?? 'plain', text, more);
}

function field(event: ConnectionEvent, name: string): string {
  const value = event[name];
  return typeof value === 'string' || typeof value === 'number' ? String(value) : '';
}

/**
 * The state after a key.
 *
 * @param logRows rows of the log that are seen
 */
export function answerKey(
  state: ConnectState,
  logRows: number,
  key: KeyPress,
): { readonly state: ConnectState; readonly quit: boolean } {
  const open = state.places.some(({ sessions }) => sessions.size > 0);
  const quits = key.name === 'char' && key.text === 'q';
  if (key.name === 'ctrl-c' || (quits && (!open || state.leaving))) return { state, quit: true };
  if (quits) return { state: { ...state, leaving: true }, quit: false };
  const staying = { ...state, leaving: false };
  const last = Math.max(0, state.log.length - logRows);
  const top = scrolled(last - state.back, state.log.length, logRows, key);
  return { state: top === undefined ? staying : { ...staying, back: last - top }, quit: false };
}

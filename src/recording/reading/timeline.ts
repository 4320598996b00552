import { escapeControls } from '../../core/display.js';
import type { ChainedEvent } from '../../core/events.js';
import type { SessionSummary } from '../../core/session-summary.js';
import type { ReplayEntry } from '../replay/entry.js';
import { EntryTranscript } from '../replay/entry-transcript.js';
import type { ReplayTextOptions } from './replay-text.js';

/** One recording of several. */
export interface TimelineSource {
  readonly session: Pick<SessionSummary, 'id' | 'connection' | 'connectionType' | 'startedAt'>;
  /** Called once, when the session's time has come. */
  readonly events: () => AsyncIterable<ChainedEvent>;
}

/** One event of several sessions, at its place in time. */
export interface TimelineEntry {
  readonly source: TimelineSource;
  readonly event: ChainedEvent;
}

/** A recording that was begun, with the event that comes next. */
interface Begun {
  readonly source: TimelineSource;
  readonly rest: AsyncIterator<ChainedEvent>;
  readonly event: ChainedEvent;
  /** The latest time of its events so far: a clock that was set back reorders nothing within a recording. */
  readonly at: string;
}

/**
 * Several recordings as one, by the time of their events. Each keeps its own order, whatever its times say; of two
 * events at the same time the one of the session that began first comes first.
 *
 * Of each recording one event is held, and none of those that begin later: as many are read at once as sessions
 * lived at once.
 */
export async function* timeline(sources: readonly TimelineSource[]): AsyncGenerator<TimelineEntry> {
  const later = sources.toSorted((one, other) => order(one.session.startedAt, other.session.startedAt));
  let begun: readonly Begun[] = [];
  try {
    for (;;) {
      const next = earliest(begun);
      const upcoming = later[0];
      if (upcoming !== undefined && (next === undefined || upcoming.session.startedAt <= next.at)) {
        later.shift();
        begun = [...begun, ...(await begin(upcoming))];
        continue;
      }
      if (next === undefined) return;
      yield { source: next.source, event: next.event };
      const following = await follow(next);
      begun = begun.flatMap((one) => (one === next ? following : [one]));
    }
  } finally {
    for (const { rest } of begun) await rest.return?.();
  }
}

async function begin(source: TimelineSource): Promise<readonly Begun[]> {
  const rest = source.events()[Symbol.asyncIterator]();
  return step(source, rest, '');
}

function follow({ source, rest, at }: Begun): Promise<readonly Begun[]> {
  return step(source, rest, at);
}

/** Nothing where the recording is over. */
async function step(source: TimelineSource, rest: AsyncIterator<ChainedEvent>, at: string): Promise<readonly Begun[]> {
  const result = await rest.next();
  if (result.done === true) return [];
  const event = result.value;
  return [{ source, rest, event, at: event.at > at ? event.at : at }];
}

function earliest(begun: readonly Begun[]): Begun | undefined {
  let first: Begun | undefined;
  for (const one of begun) if (first === undefined || one.at < first.at) first = one;
  return first;
}

function order(one: string, other: string): number {
  return one < other ? -1 : one > other ? 1 : 0;
}

/** What is shown of an entry of a timeline. */
export function shownEntry({ source, event }: TimelineEntry): ReplayEntry {
  const { id, connection, connectionType } = source.session;
  return { event, source: { session: id, connection, type: connectionType } };
}

/**
 * Several sessions as people read them: one timeline under its days, each line with its time (UTC), its connection
 * and the end of its session's id (the start is time, and the same for sessions of one run). Escaped and bounded as
 * `replayText`.
 */
export async function timelineText(sources: readonly TimelineSource[], options: ReplayTextOptions): Promise<void> {
  const connectionWidth = Math.max(0, ...sources.map(({ session }) => escapeControls(session.connection).length));
  const transcript = new EntryTranscript({ ...options, connectionWidth });
  for await (const entry of timeline(sources)) transcript.show(shownEntry(entry));
}

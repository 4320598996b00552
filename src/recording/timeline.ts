import { escapeControls } from '../core/display.js';
import type { ChainedEvent } from '../core/events.js';
import { Transcript } from './replay-text.js';
import type { ReplayTextOptions } from './replay-text.js';

/** One event of several sessions, at its place in time. */
export interface TimelineEntry {
  /** Which of the recordings given it is of, from 0. */
  readonly recording: number;
  /** Empty where the recording does not start with `session.start`. */
  readonly session: string;
  readonly connection: string;
  readonly event: ChainedEvent;
}

/**
 * Several recordings as one, by the time of their events. Each keeps its own order, whatever its times say; of two
 * events at the same time the one of the recording that was given first comes first.
 *
 * @param recordings the events of each, in order
 */
export function* timeline(recordings: readonly (readonly ChainedEvent[])[]): Iterable<TimelineEntry> {
  const placed: { readonly at: string; readonly entry: TimelineEntry }[] = [];
  recordings.forEach((events, recording) => {
    const names = namesOf(events);
    let at = '';
    for (const event of events) {
      // No event comes before the one it follows in its own recording.
      if (event.at > at) at = event.at;
      placed.push({ at, entry: { recording, ...names, event } });
    }
  });
  // Sorting is stable: what happened at the same time stays in the order given.
  placed.sort((one, other) => (one.at < other.at ? -1 : one.at > other.at ? 1 : 0));
  for (const { entry } of placed) yield entry;
}

/**
 * Several sessions as people read them: one timeline, each line with its time (UTC), its connection and the end of
 * its session's id (the start is time, and the same for sessions of one run). Escaped and bounded as `replayText`.
 */
export function timelineText(recordings: readonly (readonly ChainedEvent[])[], options: ReplayTextOptions): void {
  const names = recordings.map(namesOf);
  const width = Math.max(0, ...names.map(({ connection }) => escapeControls(connection).length));
  let prefix = '';
  const transcripts = recordings.map(
    () =>
      new Transcript({
        ...options,
        brief: true,
        write: (text) => {
          for (const line of text.split('\n')) if (line !== '') options.write(`${prefix}${line}`);
        },
      }),
  );
  for (const { recording, session, connection, event } of timeline(recordings)) {
    const time = /^[\d:.-]+T([\d:]{8}\.\d{3})/.exec(event.at)?.[1] ?? '--:--:--.---';
    prefix = `${time}  ${escapeControls(connection).padEnd(width)}  ${escapeControls(session).slice(-8).padEnd(8)}  `;
    transcripts[recording]?.show(event);
  }
}

function namesOf(events: readonly ChainedEvent[]): { readonly session: string; readonly connection: string } {
  const first = events[0];
  const connection = (first?.['connection'] as { readonly name?: unknown } | null | undefined)?.name;
  const session = first?.['session'];
  return {
    session: typeof session === 'string' ? session : '',
    connection: typeof connection === 'string' ? connection : '',
  };
}

import { HoopError } from '../../core/errors.js';
import type { ChainedEvent } from '../../core/events.js';
import { isChainedEvent } from '../chain.js';
import { splitLines } from '../reading/lines.js';
import { tooManyValues } from '../reading/read.js';

/** Which session an event is of, where several are shown as one. */
export interface EntrySource {
  readonly session: string;
  readonly connection: string;
  /** The connection's type. */
  readonly type: string;
}

/** One event to be shown. */
export interface ReplayEntry {
  readonly event: ChainedEvent;
  /** Absent where there is one session only. */
  readonly source?: EntrySource;
}

/** An entry as `--json` prints it: the bare event of one session, the event with its source of several. */
export function entryJson({ event, source }: ReplayEntry): unknown {
  return source === undefined ? event : { ...source, event };
}

/**
 * Reads what `entryJson` wrote, or a line of a recording. Proves nothing.
 *
 * @throws HoopError `verify_failed` for anything else
 */
export function parseEntry(line: Uint8Array): ReplayEntry {
  try {
    if (!tooManyValues(line)) {
      const value: unknown = JSON.parse(Buffer.from(line.buffer, line.byteOffset, line.length).toString('utf8'));
      if (isChainedEvent(value)) return { event: value };
      const { event, session, connection, type } = (value ?? {}) as Record<string, unknown>;
      if (isChainedEvent(event) && isText(session) && isText(connection) && isText(type)) {
        return { event, source: { session, connection, type } };
      }
    }
  } catch {
    // Told below: what was read is not shown.
  }
  throw noEvent();
}

/**
 * The events of one recording, in order, without proving anything. A torn tail, as a live file may have, ends them.
 *
 * @throws HoopError `verify_failed` for a line that is no event
 */
export async function* readEntries(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<ReplayEntry> {
  for await (const lines of splitLines(chunks)) {
    for (const line of lines) {
      if (!line.ended) return;
      if (line.tooLong) throw noEvent();
      yield parseEntry(line.bytes);
    }
  }
}

function noEvent(): HoopError {
  return new HoopError('verify_failed', 'recording holds a line that is no event');
}

function isText(value: unknown): value is string {
  return typeof value === 'string';
}

/** Milliseconds since the epoch, with their fraction; NaN for what is no time. */
export function atMsOf(event: ChainedEvent): number {
  return timeMs(event.at);
}

/** @param at RFC 3339; `Date.parse` drops what is below a millisecond */
export function timeMs(at: string): number {
  const whole = Date.parse(at);
  const micros = /\.\d{3}(\d{1,3})/.exec(at)?.[1];
  return micros === undefined ? whole : whole + Number(micros.padEnd(3, '0')) / 1000;
}

import { toJsonLine } from '../core/display.js';
import { HoopError } from '../core/errors.js';
import type { ChainedEvent } from '../core/events.js';
import { readEvents } from '../recording/read.js';
import { replayText } from '../recording/replay-text.js';
import type { AgentApi } from './agent-api.js';
import { placeOf, recordingBytes } from './recording-source.js';

export interface ReplayRequest {
  /** A session or a file. */
  readonly target: string;
  readonly format: 'text' | 'json';
  readonly agent: () => AgentApi;
  /** Takes lines without their end. */
  readonly write: (text: string) => void;
}

/**
 * Writes a recording as a transcript for people, or as one JSON array with an event a line.
 *
 * @throws HoopError where it can't be read or holds a line that is no event
 */
export async function replay({ target, format, agent, write }: ReplayRequest): Promise<void> {
  const place = await placeOf(target);
  if (place.kind === 'folder') {
    throw new HoopError('usage', 'a folder can not be replayed', { suggestion: 'name a session or a file' });
  }
  const events = readEvents(recordingBytes(place, agent));
  if (format === 'text') return replayText(events, { write });
  await writeJsonArray(jsonLines(events), write);
}

async function* jsonLines(events: AsyncIterable<ChainedEvent>): AsyncGenerator<string> {
  for await (const event of events) yield toJsonLine(event);
}

/** Writes a JSON array with an item a line. */
export async function writeJsonArray(items: AsyncIterable<string>, write: (text: string) => void): Promise<void> {
  write('[');
  let held: string | undefined;
  for await (const item of items) {
    if (held !== undefined) write(`${held},`);
    held = item;
  }
  if (held !== undefined) write(held);
  write(']');
}

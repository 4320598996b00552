import type { ChainedEvent } from '../../core/events.js';
import { splitLines } from './lines.js';

/** One statement or request of a recording with the verdict that it got. Members hold what the file holds: anything. */
export interface RecordedQuestion {
  /** The session's `session.start`. */
  readonly start: ChainedEvent;
  /** Of type `statement` or `request`. */
  readonly asked: ChainedEvent;
  /** Of type `decision`; undefined where the session ended before it. */
  readonly decision: ChainedEvent | undefined;
}

/** Event types that questions are made of, as they stand in canonical JSON; inside of a text the quotes are escaped. */
const WANTED = ['session.start', 'statement', 'request', 'decision'].map((type) => Buffer.from(`"type":"${type}"`));

/**
 * The questions of one recording, in order, batch by batch. Proves nothing (`verifyRecording` does), so that a million
 * are read in seconds; what is no event is passed over, and a torn tail ends it.
 */
export async function* recordedQuestions(
  chunks: AsyncIterable<Uint8Array>,
): AsyncGenerator<readonly RecordedQuestion[]> {
  let start: ChainedEvent | undefined;
  let asked: ChainedEvent | undefined;
  for await (const lines of splitLines(chunks)) {
    const found: RecordedQuestion[] = [];
    for (const { bytes, ended, tooLong } of lines) {
      if (!ended || tooLong) continue;
      const event = eventOf(bytes);
      if (event?.type === 'session.start') start = event;
      if (event === undefined || start === undefined || event.type === 'session.start') continue;
      if (event.type === 'decision') {
        if (asked?.['statement'] === event['statement'])
          found.push({ start, asked: asked as ChainedEvent, decision: event });
        asked = undefined;
      } else {
        if (asked !== undefined) found.push({ start, asked, decision: undefined });
        asked = event;
      }
    }
    if (found.length > 0) yield found;
  }
  if (start !== undefined && asked !== undefined) yield [{ start, asked, decision: undefined }];
}

function eventOf(bytes: Uint8Array): ChainedEvent | undefined {
  const line = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  if (!WANTED.some((type) => line.includes(type))) return undefined;
  try {
    const event = JSON.parse(line.toString('utf8')) as ChainedEvent;
    // The recording of an approval itself: its statement is a request in words, and nothing decides it.
    if (event['via'] === 'approval') return undefined;
    return ['session.start', 'statement', 'request', 'decision'].includes(event.type) ? event : undefined;
  } catch {
    return undefined;
  }
}

import type { ReplayRow } from '../../core/replay-frame.js';
import { record, text } from '../../recording/reading/event-fields.js';
import { EntryTranscript } from '../../recording/replay/entry-transcript.js';
import type { BlockIndex, Landmark } from '../../recording/replay/block-index.js';
import { atMsOf } from '../../recording/replay/entry.js';
import type { ReplayEntry } from '../../recording/replay/entry.js';
import type { ReplayLog } from '../../recording/replay/log.js';

/** Events before the one shown whose lines are made, and lines of them that are kept to scroll back to. */
const WINDOW_EVENTS = 200;
const WINDOW_ROWS = 1000;
/** Recordings of so few blocks have their marks where the events are; in larger ones a block is narrower than a cell. */
const EXACT_BLOCKS = 16;
const MAX_MARKS = 400;

/** The transcript up to an event, its last part. @param event from 0; below 0: nothing */
export async function windowRows(log: ReplayLog, event: number): Promise<readonly ReplayRow[]> {
  if (event < 0) return [];
  const from = Math.max(0, event + 1 - WINDOW_EVENTS);
  const entries = await log.read(from, event + 1 - from);
  const rows: ReplayRow[] = [];
  const transcript = new EntryTranscript({
    startMs: log.startMs,
    write: (lines, sense) => {
      for (const line of lines.split('\n')) rows.push({ text: line, sense });
    },
  });
  for (const entry of entries) transcript.show(entry);
  return rows.slice(-WINDOW_ROWS);
}

/** `ann@example.com on postgres (postgres) as hoop_app`, or what several sessions have in common. */
export async function titleOf(log: ReplayLog): Promise<string> {
  const first = await log.entry(0);
  if (first === undefined) return 'nothing recorded yet';
  const { event } = first;
  const user = record(event['user']);
  const who = text(user['email']) === '' ? text(user['subject']) : text(user['email']);
  if (first.source !== undefined) {
    const id = text(event['correlationId']);
    return `${who}, run ${id === '' ? '?' : id}, from ${text(event.at)}`;
  }
  const connection = record(event['connection']);
  return `${who} on ${text(connection['name'])} (${text(connection['type'])}) as ${text(event['credential'])}, ${text(event.at)}`;
}

export function isLandmark({ event }: ReplayEntry, landmark: Landmark): boolean {
  if (landmark === 'blocked') return event.type === 'decision' && event['action'] === 'block';
  if (landmark === 'approval') return event.type.startsWith('approval.');
  return (event.type === 'statement' && event['via'] !== 'startup') || event.type === 'request';
}

/** Where what was blocked and approved stands, 0 to 1 of the length. */
export async function marksOf(
  log: ReplayLog,
): Promise<readonly { readonly at: number; readonly kind: 'blocked' | 'approval' }[]> {
  const { index, startMs } = log;
  const lengthMs = Math.max(1, log.endMs - startMs);
  const marks: { at: number; kind: 'blocked' | 'approval' }[] = [];
  for (const kind of ['approval', 'blocked'] as const) {
    for (const block of blocksWith(index, kind)) {
      if (index.length > EXACT_BLOCKS) marks.push({ at: (index.startMs(block) - startMs) / lengthMs, kind });
      else {
        const first = index.firstEvent(block);
        for (const entry of await log.read(first, index.firstEvent(block + 1) - first)) {
          if (isLandmark(entry, kind)) marks.push({ at: (atMsOf(entry.event) - startMs) / lengthMs, kind });
        }
      }
    }
  }
  return marks.slice(-MAX_MARKS);
}

function blocksWith(index: BlockIndex, landmark: Landmark): readonly number[] {
  return Array.from({ length: index.length }, (_, block) => block).filter((block) => index.count(landmark, block) > 0);
}

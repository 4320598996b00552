import { once } from 'node:events';
import { setTimeout as wait } from 'node:timers/promises';

import { toJsonLine } from '../../core/display.js';
import { writeAsciicast } from '../../recording/replay/asciicast.js';
import { entryJson } from '../../recording/replay/entry.js';
import type { ReplayEntry } from '../../recording/replay/entry.js';
import { EntryTranscript } from '../../recording/replay/entry-transcript.js';
import { grouped } from '../../recording/replay/groups.js';
import type { Group } from '../../recording/replay/groups.js';
import { writeHtml } from '../../recording/replay/html.js';
import { paced } from '../../recording/replay/pace.js';
import type { Pace } from '../../recording/replay/pace.js';
import { isFrame, matching } from '../../recording/replay/pattern.js';
import type { Pattern } from '../../recording/replay/pattern.js';
import { writeSql } from '../../recording/replay/sql.js';
import type { ReplayTarget } from './replay-entries.js';

export type ReplayFormat = 'text' | 'json' | 'asciicast' | 'html' | 'sql';

export interface ReplayRequest {
  readonly entries: AsyncIterable<ReplayEntry>;
  readonly target: ReplayTarget;
  readonly format: ReplayFormat;
  /** JSON as it comes, an object a line, rather than one array that is whole at the end. */
  readonly follow: boolean;
  /** Only statements that hold it, with all that belongs to them. */
  readonly grep: Pattern | undefined;
  /** Text and JSON at this pace; undefined: at once. */
  readonly pace: Pace | undefined;
  /** Longest pause in an asciicast, in ms. */
  readonly idleLimitMs: number | undefined;
  /** Takes lines without their end. Resolves when there is room for more. */
  readonly write: (text: string) => void;
  /** Is told where `grep` found nothing: what is written then is the frame alone. */
  readonly nothingFound?: () => void;
  /** Resolves when what was written has gone. */
  readonly drained: () => Promise<void> | undefined;
}

/**
 * Writes a recording, or several as one timeline, in a format.
 *
 * @throws HoopError where it can't be read or holds a line that is no event
 */
export async function replay(request: ReplayRequest): Promise<void> {
  const { format, write, idleLimitMs } = request;
  const entries = steady(shown(request), request.drained);
  if (format === 'json') return request.follow ? writeJsonLines(entries, write) : writeJsonArray(entries, write);
  if (format === 'asciicast') return writeAsciicast(entries, { write, idleLimitMs });
  if (format === 'html') return writeHtml(grouped(entries), { write, title: titleOf(request.target) });
  if (format === 'sql') return writeSql(grouped(entries), write);
  const transcript = new EntryTranscript({ write });
  for await (const entry of entries) transcript.show(entry);
  transcript.end();
}

/** @returns undefined where there is room for more */
export function drainedStdout(): Promise<void> | undefined {
  return process.stdout.writableNeedDrain ? once(process.stdout, 'drain').then(() => undefined) : undefined;
}

function shown({ entries, grep, pace, nothingFound }: ReplayRequest): AsyncIterable<ReplayEntry> {
  const found = grep === undefined ? entries : ungrouped(counted(matching(grouped(entries), grep), nothingFound));
  return pace === undefined ? found : paced(found, pace, (ms) => wait(ms));
}

async function* counted(groups: AsyncIterable<Group>, nothingFound: (() => void) | undefined): AsyncGenerator<Group> {
  let found = false;
  for await (const group of groups) {
    found ||= !group.entries.every(isFrame);
    yield group;
  }
  if (!found) nothingFound?.();
}

async function* ungrouped(groups: AsyncIterable<Group>): AsyncGenerator<ReplayEntry> {
  for await (const group of groups) yield* group.entries;
}

/** A reader who is slow is waited for: else 1 GB of text would wait for it in memory. */
async function* steady(
  entries: AsyncIterable<ReplayEntry>,
  drained: () => Promise<void> | undefined,
): AsyncGenerator<ReplayEntry> {
  for await (const entry of entries) {
    yield entry;
    const room = drained();
    if (room !== undefined) await room;
  }
}

async function writeJsonLines(entries: AsyncIterable<ReplayEntry>, write: (text: string) => void): Promise<void> {
  for await (const entry of entries) write(toJsonLine(entryJson(entry)));
}

/** Writes a JSON array with an item a line. */
async function writeJsonArray(entries: AsyncIterable<ReplayEntry>, write: (text: string) => void): Promise<void> {
  write('[');
  let held: string | undefined;
  for await (const entry of entries) {
    if (held !== undefined) write(`${held},`);
    held = toJsonLine(entryJson(entry));
  }
  if (held !== undefined) write(held);
  write(']');
}

function titleOf(target: ReplayTarget): string {
  if (target.kind === 'chain') return `Sessions of ${target.correlationId}`;
  return target.place.kind === 'session' ? `Session ${target.place.id}` : 'Recorded session';
}

import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { AgentApi } from '../../client/agent-api.js';
import { listSessions, recordingBytes } from '../../client/recordings/recording-source.js';
import { HoopError } from '../../core/errors.js';
import { recordedQuestions, type RecordedQuestion } from '../../recording/reading/questions.js';
import { readRecording } from '../../recording/reading/read.js';

/** Sessions that started in a span of time; RFC 3339 UTC. */
export interface Span {
  readonly since: string;
  readonly until: string;
}

const DAY_FOLDER = /^\d{4}-\d{2}-\d{2}$/;

/**
 * The questions of all recordings below a folder, batch by batch: of day folders only those in question are opened.
 *
 * @throws HoopError `not_found` where there is no such folder
 */
export async function* questionsInFolder(dir: string, span: Span): AsyncGenerator<readonly RecordedQuestion[]> {
  for await (const path of recordingPaths(dir, span)) yield* inSpan(recordedQuestions(readRecording(path)), span);
}

/** The same of the sessions that the caller may read at the agent. */
export async function* questionsOfAgent(agent: AgentApi, span: Span): AsyncGenerator<readonly RecordedQuestion[]> {
  for await (const { id } of listSessions(agent, span))
    yield* inSpan(recordedQuestions(recordingBytes({ kind: 'session', id }, () => agent)), span);
}

async function* recordingPaths(dir: string, { since, until }: Span): AsyncGenerator<string> {
  const entries = await readdir(dir, { withFileTypes: true }).catch((cause: unknown) => {
    throw new HoopError('not_found', 'the folder of recordings can not be read', { cause });
  });
  for (const entry of entries.sort((left, right) => (left.name < right.name ? -1 : 1))) {
    const path = join(dir, entry.name);
    if (entry.isFile() && entry.name.endsWith('.ndjson')) yield path;
    const wanted = DAY_FOLDER.test(entry.name) && entry.name >= since.slice(0, 10) && entry.name <= until.slice(0, 10);
    if (!entry.isDirectory() || !wanted) continue;
    for (const name of (await readdir(path)).sort()) if (name.endsWith('.ndjson')) yield join(path, name);
  }
}

/** Leaves a recording at its first question where its session started outside of the span. */
async function* inSpan(
  batches: AsyncIterable<readonly RecordedQuestion[]>,
  { since, until }: Span,
): AsyncGenerator<readonly RecordedQuestion[]> {
  for await (const batch of batches) {
    const startedMs = Date.parse(batch[0]?.start.at ?? '');
    if (!(startedMs >= Date.parse(since) && startedMs <= Date.parse(until))) return;
    yield batch;
  }
}

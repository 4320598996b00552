import { toJsonLine } from '../core/display.js';
import { HoopError } from '../core/errors.js';
import type { ChainedEvent } from '../core/events.js';
import type { SessionSummary } from '../core/session-summary.js';
import { readEvents } from '../recording/read.js';
import { timeline, timelineText, type TimelineSource } from '../recording/timeline.js';
import type { AgentApi } from './agent-api.js';
import { listSessions, recordingBytes } from './recording-source.js';
import { writeJsonArray } from './replay.js';

export interface ChainRequest {
  readonly correlationId: string;
  readonly format: 'text' | 'json';
  readonly agent: AgentApi;
  /** Takes lines without their end. */
  readonly write: (text: string) => void;
  /** Takes a line for people. */
  readonly say: (text: string) => void;
}

/** More sessions than anybody reads as one; their list alone is some MB. */
const MAX_SESSIONS = 10_000;

/**
 * Writes all sessions of one correlation id that the caller may read as one timeline: which prompt led to which
 * call, and that to which statement. As JSON an array of `{session, connection, type, event}`, one a line.
 *
 * @throws HoopError not_found where there is none
 */
export async function replayChain({ correlationId, format, agent, write, say }: ChainRequest): Promise<void> {
  const sessions: SessionSummary[] = [];
  for await (const session of listSessions(agent, { correlationId }, MAX_SESSIONS)) sessions.push(session);
  if (sessions.length === 0) {
    throw new HoopError('not_found', 'no session has this correlation id', {
      suggestion: '`hoop sessions --json` shows the `correlationId` of each that you may read',
    });
  }
  if (sessions.length === MAX_SESSIONS) say(`only the newest ${String(MAX_SESSIONS)} sessions are shown`);
  const sources = sessions.map((session): TimelineSource => ({
    session,
    events: () => eventsOf(session, agent, say),
  }));
  if (format === 'text') return timelineText(sources, { write });
  await writeJsonArray(lines(sources), write);
}

async function* lines(sources: readonly TimelineSource[]): AsyncGenerator<string> {
  for await (const { source, event } of timeline(sources)) {
    const { id, connection, connectionType } = source.session;
    yield toJsonLine({ session: id, connection, type: connectionType, event });
  }
}

/** One recording that is gone, by age, does not hide the others. */
async function* eventsOf(
  { id }: SessionSummary,
  agent: AgentApi,
  say: (text: string) => void,
): AsyncGenerator<ChainedEvent> {
  try {
    yield* readEvents(recordingBytes({ kind: 'session', id }, () => agent));
  } catch (error) {
    if (!(error instanceof HoopError) || error.code !== 'not_found') throw error;
    say(`session ${id} has no recording any more`);
  }
}

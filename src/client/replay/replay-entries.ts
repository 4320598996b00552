import { HoopError } from '../../core/errors.js';
import type { SessionSummary } from '../../core/session-summary.js';
import { COMPRESSED } from '../../recording/folder/compression.js';
import { followRecording } from '../../recording/reading/follow.js';
import { readEntries } from '../../recording/replay/entry.js';
import type { ReplayEntry } from '../../recording/replay/entry.js';
import { shownEntry, timeline } from '../../recording/reading/timeline.js';
import type { TimelineSource } from '../../recording/reading/timeline.js';
import type { AgentApi } from '../agent-api.js';
import { followSession } from './follow-session.js';
import { listSessions, recordingBytes } from '../recordings/recording-source.js';
import type { RecordingPlace } from '../recordings/recording-source.js';
import { namedPlace } from '../recordings/named-place.js';

/** What is to be shown: one recording, or all sessions of a correlation id. */
export type ReplayTarget =
  | { readonly kind: 'recording'; readonly place: Exclude<RecordingPlace, { kind: 'folder' }> }
  | { readonly kind: 'chain'; readonly correlationId: string };

export interface EntryOptions {
  readonly agent: () => AgentApi;
  /** Go on while the session does. */
  readonly follow: boolean;
  /** Takes a line for people. */
  readonly say: (text: string) => void;
}

/** More sessions than anybody reads as one; their list alone is some MB. */
const MAX_SESSIONS = 10_000;

/**
 * What the command line names.
 *
 * @throws HoopError `usage` for both, none or a folder, `not_found`
 */
export async function replayTarget(
  argument: string | undefined,
  correlationId: string | undefined,
): Promise<ReplayTarget> {
  if (correlationId !== undefined && argument === undefined) return { kind: 'chain', correlationId };
  if (correlationId !== undefined || argument === undefined) {
    throw new HoopError('usage', 'replay takes a session, a file or --correlation-id, one of them');
  }
  const { place, part } = await namedPlace(argument);
  if (place.kind === 'folder' || place.kind === 'bundle') {
    const what = part ? 'what is no recording' : place.kind === 'folder' ? 'a folder' : 'a bundle';
    throw new HoopError('usage', `${what} can not be replayed`, { suggestion: 'name a session or its file' });
  }
  return { kind: 'recording', place };
}

/**
 * The events of a recording, or of all sessions of a correlation id that the caller may read, in the order of time:
 * which prompt led to which call, and that to which statement.
 *
 * @throws HoopError `not_found` where there is none, `verify_failed` for a line that is no event
 */
export async function* replayEntries(target: ReplayTarget, options: EntryOptions): AsyncGenerator<ReplayEntry> {
  if (target.kind === 'chain') yield* chainEntries(target.correlationId, options);
  else if (options.follow) yield* followed(target.place, options);
  else yield* readEntries(recordingBytes(target.place, options.agent));
}

/** Ends with the seal, or when the agent says that nothing more comes. */
async function* followed(
  place: Exclude<RecordingPlace, { kind: 'folder' }>,
  { agent }: EntryOptions,
): AsyncGenerator<ReplayEntry> {
  let sealed = false;
  const bytes = (): AsyncIterable<Uint8Array> => {
    if (place.kind === 'session') return followSession(agent(), place.id);
    // Only what is closed is ever compressed: nothing more comes.
    if (place.path.endsWith(COMPRESSED)) return recordingBytes(place, agent);
    return followRecording(place.path, { live: () => !sealed, check: () => undefined });
  };
  for await (const entry of readEntries(bytes())) {
    sealed = entry.event.type === 'seal';
    yield entry;
    if (sealed) return;
  }
}

async function* chainEntries(correlationId: string, { agent, say }: EntryOptions): AsyncGenerator<ReplayEntry> {
  const api = agent();
  const sessions: SessionSummary[] = [];
  for await (const session of listSessions(api, { correlationId }, MAX_SESSIONS)) sessions.push(session);
  if (sessions.length === 0) {
    throw new HoopError('not_found', 'no session has this correlation id', {
      suggestion: '`hoop sessions --json` shows the `correlationId` of each that you may read',
    });
  }
  if (sessions.length === MAX_SESSIONS) say(`only the newest ${String(MAX_SESSIONS)} sessions are shown`);
  const sources = sessions.map((session): TimelineSource => ({
    session,
    events: () => eventsOf(session, api, say),
  }));
  for await (const entry of timeline(sources)) yield shownEntry(entry);
}

/** One recording that is gone, by age, does not hide the others. */
async function* eventsOf(
  { id }: SessionSummary,
  agent: AgentApi,
  say: (text: string) => void,
): AsyncGenerator<ReplayEntry['event']> {
  try {
    for await (const { event } of readEntries(recordingBytes({ kind: 'session', id }, () => agent))) yield event;
  } catch (error) {
    if (!(error instanceof HoopError) || error.code !== 'not_found') throw error;
    say(`session ${id} has no recording any more`);
  }
}

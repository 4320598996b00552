import { setImmediate as turn } from 'node:timers/promises';
import type { RecordedEvent, SessionStart } from '../../core/events.js';
import { messageOf } from '../../core/errors.js';
import { readEvents, readRecording, recordingPath } from '../../recording/reading/read.js';
import type { SessionMoment } from './sink-events.js';
import type { Parts } from '../parts.js';
import type { SinkNews } from './sink-news.js';

/** What happened so long before a crash, in ms, may be in no queue on disk; what is older is. */
const UNSETTLED_MS = 10_000;
/** Requests are asked for by when they were made; nobody waits longer for a statement. */
const REQUESTS_BACK_MS = 86_400_000;
/** So many may wait for the queues before more is read. */
const MOST_WAITING = 1_000;

/**
 * Tells sinks again, after a crash, what they may have missed: the last of what recordings and the store hold from before it,
 * and that its sessions and holds have ended. Some of it comes a second time, under the same id.
 *
 * @returns how many events
 */
export async function tellMissed(parts: Parts, news: SinkNews): Promise<number> {
  const { store, sinks, recovered, log } = parts;
  if (sinks.endedWell) return 0;
  let told = 0;
  const sessions = new Set([...recovered, ...store.sessions.lastEnded(UNSETTLED_MS)]);
  for (const session of sessions) {
    try {
      for (const { moment, atMs } of await lastMoments(parts, session)) {
        if (news.again(moment, atMs)) told += 1;
        while (news.waiting >= MOST_WAITING) await turn();
      }
    } catch (error) {
      // A recording that is gone or broken; whoever verifies hears of that.
      log.warn('the last events of a session can not be told again', { session, why: messageOf(error) });
    }
  }
  return told + requestsAgain(parts, news);
}

interface Told {
  readonly moment: SessionMoment;
  readonly atMs: number;
}

/** What happened in the last seconds of a session before it ended, or before the crash that ended it. */
async function lastMoments({ store, live }: Parts, session: string): Promise<readonly Told[]> {
  const summary = store.sessions.get(session);
  if (summary === undefined) return [];
  const told: Told[] = [];
  /** Before this one all are too old. */
  let from = 0;
  let start: SessionStart | undefined;
  let asked: SessionMoment['asked'];
  for await (const chained of readEvents(readRecording(recordingPath(live.agent.recordings.dir, summary.file)))) {
    // Read as it was written: members are those of the event's kind, masked then.
    const event = chained as unknown as SessionStart | RecordedEvent;
    const atMs = Date.parse(chained.at);
    if (event.type === 'session.start') start = event;
    if (event.type === 'statement' || event.type === 'request') asked = event;
    if (
      start === undefined ||
      (event.type !== 'session.start' && event.type !== 'decision' && event.type !== 'session.end')
    )
      continue;
    // The end that a crash left to the next start says nothing of when it was.
    while (event.type !== 'session.end' && (told[from]?.atMs ?? atMs) < atMs - UNSETTLED_MS) from += 1;
    told.push({ moment: { start, event, asked: event.type === 'decision' ? asked : undefined }, atMs });
  }
  return told.slice(from);
}

/** Requests that were made shortly before the crash, and those that it ended. */
function requestsAgain({ store, clock }: Parts, news: SinkNews): number {
  const now = clock.nowMs();
  const at = (ms: number): string => new Date(ms).toISOString();
  const ids = store.audit.requestIds(at(now - REQUESTS_BACK_MS), at(now + UNSETTLED_MS));
  const lastMs = Math.max(0, ...ids.map((id) => Date.parse(store.requests.get(id)?.createdAt ?? '')));
  let told = 0;
  for (const id of ids) {
    const request = store.requests.get(id);
    if (request === undefined) continue;
    if (Date.parse(request.createdAt) >= lastMs - UNSETTLED_MS) {
      if (news.notice({ kind: 'approval', type: 'requested', request })) told += 1;
    }
    if (request.decidedAt === '' || Date.parse(request.decidedAt) < lastMs - UNSETTLED_MS) continue;
    if (news.notice({ kind: 'approval', type: 'resolved', request })) told += 1;
  }
  return told;
}

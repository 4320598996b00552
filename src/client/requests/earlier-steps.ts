import type { RequestView } from '../../core/approval.js';
import type { ChainedEvent } from '../../core/events.js';
import type { SessionSummary } from '../../core/session-summary.js';
import { readEvents } from '../../recording/reading/read.js';
import { timeline } from '../../recording/reading/timeline.js';
import type { AgentApi } from '../agent-api.js';
import { listSessions, recordingBytes } from '../recordings/recording-source.js';

/** One thing that happened earlier under the same correlation id. */
export interface EarlierStep {
  /** RFC 3339. */
  readonly at: string;
  readonly connection: string;
  /** One line of it: the prompt, the statement, the call. */
  readonly text: string;
  /** What policy said of it; empty where nothing was decided. */
  readonly action: string;
}

const MAX_SESSIONS = 20;
/** A reviewer reads the last steps; of a long run the others are for `hoop replay`. */
const MAX_STEPS = 12;
const MAX_EVENTS = 2_000;
const MAX_CHARS = 500;

/**
 * What led to a request, as far as the caller may read it: the prompts, calls and statements of its correlation id.
 *
 * @returns undefined where the caller may read none of those sessions
 */
export async function earlierSteps(api: AgentApi, request: RequestView): Promise<readonly EarlierStep[] | undefined> {
  const sessions: SessionSummary[] = [];
  const query = { correlationId: request.correlationId };
  for await (const session of listSessions(api, query, MAX_SESSIONS)) sessions.push(session);
  if (sessions.length === 0) return undefined;
  const sources = sessions.map((session) => ({
    session,
    events: () => readEvents(recordingBytes({ kind: 'session', id: session.id }, () => api)),
  }));
  const steps = new Map<string, EarlierStep>();
  let read = 0;
  for await (const { source, event } of timeline(sources)) {
    if ((read += 1) > MAX_EVENTS || event.at > request.createdAt) break;
    const key = `${source.session.id}/${String(event['statement'])}`;
    if (key === `${request.session}/${String(request.statement)}`) continue;
    const step = stepOf(event, source.session.connection, steps.get(key));
    if (step !== undefined) steps.set(key, step);
  }
  return [...steps.values()].slice(-MAX_STEPS);
}

function stepOf(event: ChainedEvent, connection: string, known: EarlierStep | undefined): EarlierStep | undefined {
  if (event.type === 'decision' && known !== undefined) return { ...known, action: textOf(event['action']) };
  // A start-up packet and a statement that was only prepared are no steps of their own.
  if (event.type === 'statement' && event['via'] === 'startup') return undefined;
  if (event.type !== 'statement' && event.type !== 'request') return undefined;
  const text = textOf(event['text']).replace(/\s+/g, ' ').slice(0, MAX_CHARS);
  return { at: event.at, connection, text, action: '' };
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

import { existsSync } from 'node:fs';
import { lstat } from 'node:fs/promises';
import { basename } from 'node:path';

import { HoopError } from '../../core/errors.js';
import { isId } from '../../core/ids.js';
import type { SessionSummary } from '../../core/session-summary.js';
import { COMPRESSED } from '../../recording/folder/compression.js';
import { sessionOfFile } from '../../recording/folder/day-files.js';
import { readRecording } from '../../recording/reading/read.js';
import type { Anchor } from '../../recording/proof/verify.js';
import type { SessionIndex } from '../../recording/proof/verify-folder.js';
import type { AgentApi } from '../agent-api.js';

/** What `SESSION|FILE|FOLDER` on the command line means. */
export type RecordingPlace =
  | { readonly kind: 'session'; readonly id: string }
  | { readonly kind: 'file'; readonly path: string }
  | { readonly kind: 'folder'; readonly path: string };

/**
 * A session's id is one unless a file of that very name is here.
 *
 * @throws HoopError `not_found`
 */
export async function placeOf(argument: string): Promise<RecordingPlace> {
  const stats = await lstat(argument).catch(() => undefined);
  if (stats?.isDirectory() === true) return { kind: 'folder', path: argument };
  if (stats !== undefined) return { kind: 'file', path: argument };
  if (isId(argument)) return { kind: 'session', id: argument };
  // Compressed since its name was noted.
  if (argument.endsWith('.ndjson') && existsSync(argument + COMPRESSED))
    return { kind: 'file', path: argument + COMPRESSED };
  throw new HoopError('not_found', 'there is no session, file or folder of this name', {
    suggestion: '`hoop sessions` lists sessions by their id; a file needs its whole path',
  });
}

/** The bytes of one recording, from the agent or from this machine. */
export async function* recordingBytes(
  place: Exclude<RecordingPlace, { kind: 'folder' }>,
  agent: () => AgentApi,
): AsyncGenerator<Uint8Array> {
  if (place.kind === 'file') {
    yield* readRecording(place.path);
    return;
  }
  const stream = (await agent().stream(`/v1/sessions/${place.id}/recording`)) as AsyncIterable<Uint8Array>;
  try {
    yield* stream;
  } catch (cause) {
    throw new HoopError('unreachable', 'the agent broke off the recording', { cause });
  }
}

/** The session that a file's name says it is of; undefined for a name of the user's own. */
export function sessionOfName(path: string): string | undefined {
  return sessionOfFile(basename(path))?.session;
}

/** Filters of `GET /v1/sessions`; times are RFC 3339. */
export interface SessionQuery {
  readonly user?: string | undefined;
  readonly group?: string | undefined;
  readonly connection?: string | undefined;
  readonly since?: string | undefined;
  readonly until?: string | undefined;
  readonly blocked?: boolean | undefined;
  readonly verdict?: string | undefined;
  readonly rule?: string | undefined;
  readonly table?: string | undefined;
  readonly entity?: string | undefined;
  readonly approval?: string | undefined;
  readonly text?: string | undefined;
  readonly correlationId?: string | undefined;
  /** Go on behind this session, or where a page told to. */
  readonly cursor?: string | undefined;
}

const PLAIN_FILTERS = [
  'user',
  'group',
  'connection',
  'blocked',
  'verdict',
  'rule',
  'table',
  'entity',
  'approval',
  'text',
  'cursor',
] as const;

type PlainFilters = Pick<SessionQuery, (typeof PLAIN_FILTERS)[number]>;

/** The filters among the flags of a command, which are called as in the query. */
export function sessionFilters(flags: PlainFilters): PlainFilters {
  return Object.fromEntries(PLAIN_FILTERS.map((name) => [name, flags[name]]));
}

interface SessionPage {
  readonly items: readonly SessionSummary[];
  readonly next: string;
}

const PAGE = 1000;

/** The sessions that the caller may read, newest first, page by page; at most `limit`. */
export async function* listSessions(
  agent: AgentApi,
  query: SessionQuery,
  limit = Number.POSITIVE_INFINITY,
): AsyncGenerator<SessionSummary> {
  let { cursor = '' } = query;
  for (let left = limit; left > 0;) {
    const page = await sessionPage(agent, { ...query, cursor }, Math.min(left, PAGE));
    yield* page.items;
    left -= page.items.length;
    cursor = page.next;
    if (cursor === '' || page.items.length === 0) return;
  }
}

/**
 * The newest `limit` of them.
 *
 * @returns `more` is the last of them, behind which a next list can go on; undefined where there are no more
 */
export async function someSessions(
  agent: AgentApi,
  query: SessionQuery,
  limit: number,
): Promise<{ readonly items: readonly SessionSummary[]; readonly more: string | undefined }> {
  const items: SessionSummary[] = [];
  // One more tells whether there are more.
  for await (const session of listSessions(agent, query, limit + 1)) items.push(session);
  const shown = items.slice(0, limit);
  return { items: shown, more: items.length > limit ? shown.at(-1)?.id : undefined };
}

function sessionPage(agent: AgentApi, query: SessionQuery, limit: number): Promise<SessionPage> {
  const params = new URLSearchParams({ limit: String(limit) });
  for (const [name, value] of Object.entries(query)) {
    if (value !== undefined && value !== false && value !== '') params.set(name, String(value));
  }
  return agent.get<SessionPage>(`/v1/sessions?${params.toString()}`);
}

/**
 * What the agent knows of one session; undefined where it knows none, or the caller may not read
 * it, or it does not say where a live one stands.
 */
export async function anchorOf(agent: AgentApi, session: string): Promise<Anchor | undefined> {
  try {
    const { events, head, endedAt } = await agent.get<SessionSummary>(`/v1/sessions/${session}`);
    return head === '' ? undefined : { events, head, sealed: endedAt !== '' };
  } catch (error) {
    if (error instanceof HoopError && error.code === 'not_found') return undefined;
    throw error;
  }
}

/** The agent's index as the verifier of a folder asks it. */
export function agentIndex(agent: AgentApi): SessionIndex {
  return {
    anchor: (session) => anchorOf(agent, session),
    sessions: async (date) => {
      const since = `${date}T00:00:00Z`;
      const until = new Date(Date.parse(since) + 86_400_000).toISOString();
      const found: string[] = [];
      for await (const { id } of listSessions(agent, { since, until })) found.push(id);
      return found;
    },
  };
}

import type { Readable } from 'node:stream';
import type { RequestView } from '../../core/approval.js';
import { type ErrorCode, HoopError, messageOf } from '../../core/errors.js';
import { splitLines } from '../../recording/reading/lines.js';
import { type KeeperTime, SYSTEM_TIME } from '../tunnels/keeper-time.js';

/** What a follower learns. */
export type RequestNews =
  /** All there is, newest first: what was known before counts no more. */
  | { readonly kind: 'snapshot'; readonly requests: readonly RequestView[] }
  | { readonly kind: 'request'; readonly request: RequestView }
  /** Nothing is heard of the agent; it is tried again in `inMs`. */
  | { readonly kind: 'lost'; readonly why: string; readonly inMs: number };

export interface FollowOptions {
  /** Opens the feed, with a token that is fresh at that moment. */
  readonly stream: (path: string) => Promise<Readable>;
  /** What the snapshot holds; later changes come whatever state they lead to. */
  readonly state: 'pending' | 'all';
  readonly mine: boolean;
  /** Ends it. */
  readonly signal?: AbortSignal;
  readonly time?: Pick<KeeperTime, 'after' | 'random'>;
}

/** The agent sends something every 15 s. */
const SILENCE_MS = 45_000;
const FIRST_DELAY_MS = 250;
const LONGEST_DELAY_MS = 15_000;
/** A snapshot may hold 1,000 statements. */
const MAX_LINE_BYTES = 256 * 1024 * 1024;

/** What asking again can't mend before a person did something. */
const FINAL: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  'not_logged_in',
  'token_refused',
  'login_denied',
  'login_expired',
  'not_allowed',
  'not_found',
  'not_in_version',
  'config_missing',
  'config_invalid',
  'usage',
]);

/**
 * Requests as they come and change, pushed by the agent; comes back by itself when the line breaks.
 *
 * @throws HoopError what the first opening throws; later, only what asking again can't mend
 */
export async function* followRequests(options: FollowOptions): AsyncGenerator<RequestNews> {
  const { signal, time = SYSTEM_TIME } = options;
  const path = `/v1/requests/events?state=${options.state}&mine=${String(options.mine)}`;
  const stopped = (): boolean => signal?.aborted === true;
  let attempt = 0;
  let heard = false;
  while (!stopped()) {
    let why: string;
    try {
      const stream = await options.stream(path);
      const watched = watch(stream, time, signal);
      for await (const news of readNews(watched)) {
        if (typeof news !== 'string') {
          attempt = 0;
          heard = true;
          yield news;
          continue;
        }
        watched.endReason = news;
      }
      why = watched.endReason ?? 'the agent closed the connection';
    } catch (error) {
      if (stopped()) return;
      if (error instanceof HoopError && (!heard || FINAL.has(error.code))) throw error;
      why = messageOf(error);
    }
    if (stopped()) return;
    const inMs = delayOf((attempt += 1), time.random());
    yield { kind: 'lost', why, inMs };
    await pause(inMs, time, signal);
  }
}

interface Watched {
  readonly chunks: AsyncIterable<Uint8Array>;
  /** Why the agent said that it ends the feed. */
  endReason?: string;
}

/** The stream's chunks; silence for too long, or the signal, ends it. */
function watch(stream: Readable, time: Pick<KeeperTime, 'after'>, signal: AbortSignal | undefined): Watched {
  const abort = (): void => {
    stream.destroy();
  };
  signal?.addEventListener('abort', abort);
  async function* chunks(): AsyncGenerator<Uint8Array> {
    const silent = (): void => {
      stream.destroy(
        new HoopError('unreachable', `nothing was heard of the agent for ${String(SILENCE_MS / 1_000)} s`),
      );
    };
    let cancel = time.after(SILENCE_MS, silent);
    try {
      for await (const chunk of stream) {
        cancel();
        cancel = time.after(SILENCE_MS, silent);
        yield chunk as Uint8Array;
      }
    } finally {
      cancel();
      signal?.removeEventListener('abort', abort);
    }
  }
  return { chunks: chunks() };
}

/** The feed's lines as news; a text is the reason of its last line. What a newer agent adds is passed over. */
async function* readNews({ chunks }: Watched): AsyncGenerator<RequestNews | string> {
  for await (const lines of splitLines(chunks, MAX_LINE_BYTES)) {
    for (const { bytes, ended, tooLong } of lines) {
      if (tooLong) throw new HoopError('protocol', 'a line of the feed is too long');
      // Broken off in the middle of a line: the line never was.
      if (!ended) return;
      const event = parseLine(bytes);
      if (event.event === 'snapshot' && event.requests !== undefined)
        yield { kind: 'snapshot', requests: event.requests };
      else if (event.event === 'request' && event.request !== undefined)
        yield { kind: 'request', request: event.request };
      else if (event.event === 'end') yield event.reason ?? '';
    }
  }
}

interface FeedLine {
  readonly event?: string;
  readonly requests?: readonly RequestView[];
  readonly request?: RequestView;
  readonly reason?: string;
}

function parseLine(bytes: Uint8Array): FeedLine {
  try {
    return JSON.parse(new TextDecoder().decode(bytes)) as FeedLine;
  } catch (error) {
    throw new HoopError('protocol', 'a line of the feed is no JSON', { cause: error });
  }
}

/** Half fixed, half random: a thousand screens that lost one agent don't come back at one moment. */
function delayOf(attempt: number, random: number): number {
  const longest = Math.min(LONGEST_DELAY_MS, FIRST_DELAY_MS * 2 ** (attempt - 1));
  return Math.round((longest / 2) * (1 + random));
}

function pause(delayMs: number, time: Pick<KeeperTime, 'after'>, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      cancel();
      signal?.removeEventListener('abort', done);
      resolve();
    };
    const cancel = time.after(delayMs, done);
    signal?.addEventListener('abort', done);
  });
}

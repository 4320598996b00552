import { Readable } from 'node:stream';
import type { Approvals, ListFilter } from '../../approvals/approvals.js';
import type { RequestView } from '../../core/approval.js';
import type { Clock } from '../../core/clock.js';
import { HoopError } from '../../core/errors.js';
import type { Identity } from '../../core/identity.js';
import { viewOf } from '../http/request-answers.js';
import type { NoticeBoard } from '../notices.js';

/** One line of the feed. */
export type RequestFeedEvent =
  /** What there is, newest first; the reader forgets what it knew. */
  | { readonly event: 'snapshot'; readonly requests: readonly RequestView[] }
  /** A request that came or changed, as it stands now. */
  | { readonly event: 'request'; readonly request: RequestView }
  /** Nothing happened; the agent is there. */
  | { readonly event: 'ping' }
  /** The last line: why it ends. Ask again, with a fresh token. */
  | { readonly event: 'end'; readonly reason: string };

/** Runs the task once, later; returns what takes it back. */
export type After = (delayMs: number, task: () => void) => () => void;

export interface RequestFeedOptions {
  readonly approvals: Pick<Approvals, 'list' | 'get' | 'mayDecide' | 'progress' | 'longestGrant'>;
  readonly notices: NoticeBoard;
  readonly clock: Pick<Clock, 'nowMs'>;
  /** Timers of the test's own. */
  readonly after?: After;
}

const byTimer: After = (delayMs, task) => {
  const timer = setTimeout(task, delayMs).unref();
  return () => {
    clearTimeout(timer);
  };
};

const PING_MS = 15_000;
/** Longest list of requests in a snapshot, as in `GET /v1/requests`. */
const MAX_LISTED = 1_000;
/** Changes that wait for a slow reader; of more, it gets one snapshot. */
const MAX_WAITING = 1_000;
/** Feeds that one person may hold open: screens, scripts, forgotten terminals. */
const MAX_PER_PERSON = 20;
/** Longest delay that Node's timers keep. */
const MAX_DELAY_MS = 2 ** 31 - 1;
/** Clocks differ by as much as tokens are checked with. */
const EXPIRY_LEEWAY_MS = 60_000;

/** Requests as they come and change, to each who may see them, for as long as their token lasts. */
export class RequestFeed {
  readonly #readers = new Set<Reader>();
  readonly #perPerson = new Map<string, number>();

  constructor(private readonly options: RequestFeedOptions) {}

  /**
   * Lines of JSON, a snapshot first. Whoever reads slowly gets the latest state of what changed, not every step.
   *
   * @param filter.state what the snapshot holds; later changes come whatever state they lead to
   * @throws HoopError `limit` for the twenty-first feed of one person
   */
  open(caller: Identity, filter: ListFilter): Readable {
    const person = `${caller.issuer}\0${caller.subject}`;
    const held = this.#perPerson.get(person) ?? 0;
    if (held >= MAX_PER_PERSON)
      throw new HoopError('limit', `more than ${String(MAX_PER_PERSON)} feeds of one person`, {
        suggestion: 'close a screen of `hoop approve` or a `hoop requests --watch`',
      });
    this.#perPerson.set(person, held + 1);
    const reader = new Reader(caller, filter, this.options);
    this.#readers.add(reader);
    reader.stream.once('close', () => {
      this.#readers.delete(reader);
      const left = (this.#perPerson.get(person) ?? 1) - 1;
      if (left === 0) this.#perPerson.delete(person);
      else this.#perPerson.set(person, left);
    });
    return reader.stream;
  }

  /** Ends every feed in good order. */
  closeAll(): void {
    for (const reader of [...this.#readers]) reader.end('the agent is stopping');
  }
}

class Reader {
  readonly stream: Readable;
  /** Ids of requests that changed and were not told yet. */
  readonly #waiting = new Set<string>();
  readonly #cleanups: (() => void)[] = [];
  readonly #after: After;
  #snapshotDue = true;
  #pingDue = false;
  #endReason: string | undefined;
  /** The last line is pushed. */
  #ended = false;
  /** The stream takes more. */
  #wanted = false;
  #pumping = false;

  constructor(
    private readonly caller: Identity,
    private readonly filter: ListFilter,
    private readonly options: RequestFeedOptions,
  ) {
    this.#after = options.after ?? byTimer;
    this.stream = new Readable({
      encoding: 'utf8',
      read: () => {
        this.#wanted = true;
        this.#pump();
      },
      destroy: (error, done) => {
        for (const cleanup of this.#cleanups) cleanup();
        done(error);
      },
    });
    this.#cleanups.push(options.notices.listen((notice) => this.#changed(notice.request.id)));
    this.#schedulePing();
    this.#scheduleEnd();
  }

  end(reason: string): void {
    this.#endReason ??= reason;
    this.#pump();
  }

  #changed(id: string): void {
    if (this.#waiting.size >= MAX_WAITING) {
      this.#waiting.clear();
      this.#snapshotDue = true;
    }
    // What is told is the state at the time of telling: a snapshot to come holds this change.
    if (!this.#snapshotDue) this.#waiting.add(id);
    this.#pump();
  }

  #schedulePing(): void {
    const cancel = this.#after(PING_MS, () => {
      this.#cleanups.splice(this.#cleanups.indexOf(cancel), 1);
      this.#pingDue = true;
      this.#schedulePing();
      this.#pump();
    });
    this.#cleanups.push(cancel);
  }

  #scheduleEnd(): void {
    const leftMs = this.caller.expiresAt * 1_000 + EXPIRY_LEEWAY_MS - this.options.clock.nowMs();
    const cancel = this.#after(Math.min(Math.max(0, leftMs), MAX_DELAY_MS), () => {
      this.end('the token has expired');
    });
    this.#cleanups.push(cancel);
  }

  #pump(): void {
    // Looking at a request can end it (its time is over), and that is told to this very reader.
    if (this.#pumping || this.#ended || this.stream.destroyed) return;
    this.#pumping = true;
    try {
      while (this.#wanted) {
        const event = this.#next();
        if (event === undefined) break;
        this.#wanted = this.stream.push(`${JSON.stringify(event)}\n`);
        if (event.event !== 'end') continue;
        this.#ended = true;
        this.stream.push(null);
        break;
      }
    } catch (error) {
      this.stream.destroy(error instanceof Error ? error : new Error('the feed failed', { cause: error }));
    } finally {
      this.#pumping = false;
    }
  }

  #next(): RequestFeedEvent | undefined {
    if (this.#endReason !== undefined) return { event: 'end', reason: this.#endReason };
    if (this.#snapshotDue) {
      const listed = this.options.approvals.list(this.caller, this.filter).slice(0, MAX_LISTED);
      this.#snapshotDue = false;
      this.#waiting.clear();
      return {
        event: 'snapshot',
        requests: listed.map((request) => viewOf(this.options.approvals, this.caller, request)),
      };
    }
    for (const id of this.#waiting) {
      this.#waiting.delete(id);
      const request = this.#visible(id);
      if (request !== undefined) return { event: 'request', request };
    }
    if (!this.#pingDue) return undefined;
    this.#pingDue = false;
    return { event: 'ping' };
  }

  /** The request, where the caller may see it at this moment. */
  #visible(id: string): RequestView | undefined {
    try {
      const request = this.options.approvals.get(this.caller, id);
      const { subject, issuer } = request.requester;
      const own = subject === this.caller.subject && issuer === this.caller.issuer;
      return this.filter.mine && !own ? undefined : viewOf(this.options.approvals, this.caller, request);
    } catch (error) {
      if (error instanceof HoopError && error.code === 'not_found') return undefined;
      throw error;
    }
  }
}

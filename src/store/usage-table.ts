import type { DatabaseSyncInstance } from '@photostructure/sqlite';

import { inTransaction } from './database.js';

/** What one counter has counted in its span of time. */
export interface UsageCounts {
  readonly requests: number;
  readonly tokens: number;
  /** US dollars. */
  readonly usd: number;
}

/** Which counter, and the span of time: until when it counts, in ms since the epoch. */
export interface UsageSpan {
  readonly key: string;
  readonly span: string;
  readonly endsMs: number;
}

type Counter = UsageSpan & { requests: number; tokens: number; usd: number };

/** Pause in which what was counted is gathered into one transaction, in ms. */
const BATCH_MS = 200;
/** How often spans that are over are removed, in ms. */
const PRUNE_MS = 10 * 60_000;
/** Counters kept in memory; others are read again when they are asked for. */
const MAX_KEPT = 20_000;

/**
 * What limits have counted. Counting changes memory, which is written in one transaction a moment later; so a
 * request costs no wait for the disk, and a crash forgets a fifth of a second. Where the last write failed, nothing
 * is counted until one succeeds: `add` and `read` throw.
 */
export class UsageTable {
  readonly #database: DatabaseSyncInstance;
  readonly #onFault: () => void;
  readonly #nowMs: () => number;
  readonly #kept = new Map<string, Counter>();
  readonly #changed = new Set<Counter>();
  #timer: NodeJS.Timeout | undefined;
  #failure: unknown;
  #prunedMs = 0;

  /**
   * @param onFault a batch could not be written; it is kept and tried again
   * @param nowMs milliseconds since the epoch: which spans are over
   */
  constructor(database: DatabaseSyncInstance, onFault: () => void, nowMs: () => number = Date.now) {
    this.#database = database;
    this.#onFault = onFault;
    this.#nowMs = nowMs;
  }

  /** Throws what SQLite throws, and what the last write threw until one succeeds. */
  read(span: UsageSpan): UsageCounts {
    this.#refuseUnwritten();
    return this.#counter(span);
  }

  /** Requests that all counters together hold, as they were written last. Throws what SQLite throws. */
  total(): number {
    const row = this.#database.prepare('SELECT total(requests) AS requests FROM usage').get() as UsageCounts;
    return row.requests;
  }

  /** Adds, or with negative amounts takes back. Throws as `read`. */
  add(span: UsageSpan, counts: UsageCounts): void {
    this.#refuseUnwritten();
    const counter = this.#counter(span);
    counter.requests += counts.requests;
    counter.tokens += counts.tokens;
    counter.usd += counts.usd;
    this.#changed.add(counter);
    this.#schedule();
  }

  /** Everything counted so far is on disk when this returns. Throws what SQLite throws, and keeps what was counted. */
  flush(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const nowMs = this.#nowMs();
    const prune = Math.abs(nowMs - this.#prunedMs) >= PRUNE_MS;
    if (this.#changed.size === 0 && !prune) return;
    try {
      inTransaction(this.#database, () => {
        this.#write();
        if (prune) this.#database.prepare('DELETE FROM usage WHERE ends_ms <= ?').run(nowMs);
      });
    } catch (error) {
      this.#failure = error;
      throw error;
    }
    this.#failure = undefined;
    this.#changed.clear();
    if (prune) this.#prunedMs = nowMs;
    if (prune || this.#kept.size > MAX_KEPT) this.#forget(nowMs);
  }

  /** Writes what is gathered, and nothing later. Throws what SQLite throws. */
  close(): void {
    try {
      this.flush();
    } finally {
      this.#failure ??= new TypeError('the store is closed');
    }
  }

  #refuseUnwritten(): void {
    if (this.#failure !== undefined) throw new Error('usage can not be written', { cause: this.#failure });
  }

  #counter(at: UsageSpan): Counter {
    const name = `${at.span} ${String(at.endsMs)} ${at.key}`;
    const known = this.#kept.get(name);
    if (known !== undefined) return known;
    const row = this.#database
      .prepare('SELECT requests, tokens, usd FROM usage WHERE key = ? AND span = ? AND ends_ms = ?')
      .get(at.key, at.span, at.endsMs) as UsageCounts | undefined;
    const { key, span, endsMs } = at;
    const counter = { key, span, endsMs, requests: row?.requests ?? 0, tokens: row?.tokens ?? 0, usd: row?.usd ?? 0 };
    this.#kept.set(name, counter);
    return counter;
  }

  /** Only after everything is written: what is forgotten here is read again from there. */
  #forget(nowMs: number): void {
    if (this.#kept.size > MAX_KEPT) this.#kept.clear();
    for (const [name, counter] of this.#kept) if (counter.endsMs <= nowMs) this.#kept.delete(name);
  }

  #schedule(): void {
    if (this.#timer !== undefined) return;
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      try {
        this.flush();
      } catch {
        this.#onFault();
        this.#schedule();
      }
    }, BATCH_MS);
    this.#timer.unref();
  }

  #write(): void {
    const put = this.#database.prepare(
      `INSERT INTO usage (key, span, ends_ms, requests, tokens, usd) VALUES (?, ?, ?, ?, ?, ?)
       ON CONFLICT (key, span, ends_ms)
       DO UPDATE SET requests = excluded.requests, tokens = excluded.tokens, usd = excluded.usd`,
    );
    for (const { key, span, endsMs, requests, tokens, usd } of this.#changed)
      put.run(key, span, endsMs, requests, tokens, usd);
  }
}

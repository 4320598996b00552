import { join } from 'node:path';

import type { Clock } from '../core/clock.js';
import { HoopError } from '../core/errors.js';
import { idTimeMs } from '../core/ids.js';
import type { UploadTarget } from '../core/resources.js';
import { retryPause } from '../core/retry-pause.js';
import { datesBelow } from '../recording/folder/day-files.js';
import { pemOf, publicKeyOf, SignatureChecker } from '../recording/keys.js';
import type { RecordingKey } from '../recording/keys.js';
import { BrokenDay, bufferBody, dueOfDay, dueOfRoot, fileBody, isNew, recordingFile, stampOfDay } from './due.js';
import type { Confirmation, DueDay, Snapshot, UploadLedger } from './due.js';
import { ObjectStore, StoreFault } from './object-store.js';
import type { ArchiveCredentials } from './signature.js';

export interface ArchiveOptions {
  /** The recordings folder. */
  readonly dir: string;
  readonly key: RecordingKey;
  readonly clock: Clock;
  readonly target: UploadTarget;
  readonly credentials: () => Promise<ArchiveCredentials>;
  readonly ledger: UploadLedger;
  /** 0 up to 1. */
  readonly random: () => number;
  readonly info: (message: string) => void;
  readonly warn: (message: string) => void;
  /** As of `ObjectStore`. */
  readonly partBytes?: number;
}

export interface ArchiveFigures {
  /** Sealed recordings that the bucket has not confirmed, as of the last look. */
  readonly waiting: number;
  /** When the session of the oldest of them began, in ms since the epoch. */
  readonly oldestMs: number | undefined;
  /** Recordings confirmed since the start. */
  readonly confirmed: number;
  /** Rounds that failed since the start, and in a row up to now. */
  readonly failed: number;
  readonly failing: number;
  /** Days whose checkpoint does not hold: nothing of them is copied. */
  readonly brokenDays: number;
}

/** Requests under way together: enough to hide the way to the store, too few to be felt by statements. */
const CONNECTIONS = 4;
/** Shortest pause between two looks, in ms. */
const PAUSE_MS = 2_000;
/** Looking takes at most this part of the time. */
const REST_FACTOR = 50;
/** Confirmations that are written together. */
const BATCH = 32;
const LINES = 'application/x-ndjson';
const BINARY = 'application/octet-stream';

interface Day extends DueDay {
  readonly date: string;
  readonly stamp: string;
}

/**
 * Copies closed recordings into a bucket, beside the program, until it is closed. The recordings folder is the queue: what
 * is sealed and not confirmed there is sent, again and again until it is.
 */
export class Archive {
  readonly #store: ObjectStore;
  readonly #checker: SignatureChecker;
  readonly #stop = new AbortController();
  /** Days of which all is confirmed, as they were then. */
  readonly #settled = new Map<string, string>();
  readonly #broken = new Set<string>();
  readonly #counts = { waiting: 0, confirmed: 0, failed: 0, failing: 0 };
  #oldestMs: number | undefined;
  /** Of this round. */
  #credentials: Promise<ArchiveCredentials> | undefined;
  #willCompress: (changedMs: number, bytes: number) => boolean = () => false;
  #timer: NodeJS.Timeout | undefined;
  #running: Promise<void> = Promise.resolve();
  #closed = false;

  constructor(private readonly options: ArchiveOptions) {
    const { target, clock, key, partBytes } = options;
    this.#store = new ObjectStore({
      credentials: () => (this.#credentials ??= options.credentials()),
      ...{ target, connections: CONNECTIONS, nowMs: () => clock.nowMs() },
      ...(partBytes === undefined ? {} : { partBytes }),
    });
    this.#checker = new SignatureChecker([publicKeyOf(key)]);
  }

  get figures(): ArchiveFigures {
    return { ...this.#counts, oldestMs: this.#oldestMs, brokenDays: this.#broken.size };
  }

  /** Is this recording nowhere but in the agent's folder? */
  onlyCopy(date: string, session: string): boolean {
    return this.options.ledger.confirmed(`${date}/${session}`) === undefined;
  }

  /** @param willCompress a file that was changed then, of so many bytes, is about to be replaced by a smaller one */
  start(willCompress: (changedMs: number, bytes: number) => boolean): void {
    this.#willCompress = willCompress;
    this.#next(0);
  }

  /** What is under way may end within `graceMs`; the rest goes after the next start. */
  async close(graceMs: number): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#timer);
    const late = setTimeout(() => {
      this.#stop.abort();
    }, graceMs);
    await this.#running;
    clearTimeout(late);
    this.#store.close();
  }

  /**
   * Looks once, and sends what is due.
   *
   * @returns how long looking took, in ms
   * @throws what kept an object from being confirmed: StoreFault, Node's network errors, errors of reading
   */
  async round(): Promise<number> {
    const { dir, ledger, key } = this.options;
    const beganMs = performance.now();
    // Asked anew, so that a secret that was changed counts.
    this.#credentials = undefined;
    const root = await dueOfRoot(dir, this.#checker, ledger);
    const days: Day[] = [];
    for (const date of await datesBelow(dir)) {
      const day = await this.#look(date);
      if (day !== undefined) days.push(day);
    }
    this.#counts.waiting = days.reduce((sum, { sessions }) => sum + sessions.length, 0);
    this.#oldestMs = days.map(({ sessions }) => oldestOf(sessions)).find((ms) => ms !== undefined);
    const lookedMs = performance.now() - beganMs;
    const pem = { path: `keys/${key.keyId}.pem`, bytes: Buffer.from(pemOf(publicKeyOf(key))) };
    if (isNew(pem, ledger)) await this.#putSnapshot(pem, pem.path, 'application/x-pem-file');
    let whole = true;
    for (const day of days) whole = (await this.#copy(day)) && whole;
    if (root !== undefined && whole && !this.#closed) await this.#putSnapshot(root);
    return lookedMs;
  }

  async #look(date: string): Promise<Day | undefined> {
    const { dir, ledger, warn } = this.options;
    const stamp = await stampOfDay(dir, date);
    if (this.#settled.get(date) === stamp) return undefined;
    try {
      const due = await dueOfDay(dir, date, this.#checker, ledger);
      this.#broken.delete(date);
      return { date, stamp, ...due };
    } catch (error) {
      if (!(error instanceof BrokenDay)) throw error;
      if (!this.#broken.has(date)) warn(`recordings of ${date} are not copied: ${error.message}`);
      this.#broken.add(date);
      return undefined;
    }
  }

  /** @returns has all of the day been confirmed? */
  async #copy({ date, stamp, sessions, lists }: Day): Promise<boolean> {
    const left = await this.#copySessions(date, sessions);
    if (left > 0 || this.#closed) return false;
    for (const list of lists) await this.#putSnapshot(list);
    this.#settled.set(date, stamp);
    return true;
  }

  /** @returns how many could not go yet: a smaller file is about to take their place, or the agent ends */
  async #copySessions(date: string, sessions: readonly string[]): Promise<number> {
    const rest = sessions.values();
    const done: Confirmation[] = [];
    let left = 0;
    let refused: StoreFault | undefined;
    const keep = (): void => {
      this.options.ledger.confirm(done.splice(0));
    };
    const worker = async (): Promise<void> => {
      for (const session of rest) {
        const sent = this.#closed ? 'later' : await this.#copySession(date, session);
        if (sent === 'later' || sent instanceof StoreFault) left += 1;
        if (sent instanceof StoreFault) refused ??= sent;
        if (typeof sent === 'string') continue;
        if (!(sent instanceof StoreFault)) done.push(sent);
        if (done.length >= BATCH) keep();
      }
    };
    const ends = await Promise.allSettled(Array.from({ length: CONNECTIONS }, worker));
    keep();
    const failed = ends.find((end) => end.status === 'rejected');
    if (failed !== undefined) throw failed.reason;
    // Said at the end, so that one object that is never taken holds up no other.
    if (refused !== undefined) throw refused;
    return left;
  }

  async #copySession(date: string, session: string): Promise<Confirmation | 'gone' | 'later' | StoreFault> {
    const { dir } = this.options;
    const file = await recordingFile(dir, date, session);
    if (file === undefined) return 'gone';
    const compressed = file.name.endsWith('.br');
    if (!compressed && this.#willCompress(file.changedMs, file.bytes)) return 'later';
    try {
      const body = fileBody(join(dir, file.name), file.bytes);
      const type = compressed ? BINARY : LINES;
      const sha256 = await this.#store.put(`recordings/${file.name}`, type, body, this.#stop.signal);
      this.#counts.confirmed += 1;
      this.#counts.waiting -= 1;
      return { path: `${date}/${session}`, sha256, bytes: file.bytes, at: this.options.clock.timestamp() };
    } catch (error) {
      // Its compressed form took its place, or retention took it, in the middle.
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return 'later';
      if (error instanceof StoreFault && !error.whole) return error;
      throw error;
    }
  }

  async #putSnapshot(one: Snapshot, key = `recordings/${one.path}`, type = LINES): Promise<void> {
    const sha256 = await this.#store.put(key, type, bufferBody(one.bytes), this.#stop.signal);
    const at = this.options.clock.timestamp();
    this.options.ledger.confirm([{ path: one.path, sha256, bytes: one.bytes.length, at }]);
  }

  #next(pauseMs: number): void {
    if (this.#closed) return;
    this.#timer = setTimeout(() => {
      this.#running = this.round().then(
        (lookedMs) => this.#succeeded(lookedMs),
        (error: unknown) => {
          this.#failed(error);
        },
      );
    }, pauseMs);
    this.#timer.unref();
  }

  #succeeded(lookedMs: number): void {
    if (this.#counts.failing > 0) this.options.info('recordings are copied to the bucket again');
    this.#counts.failing = 0;
    this.#next(Math.max(PAUSE_MS, lookedMs * REST_FACTOR));
  }

  #failed(error: unknown): void {
    if (this.#stop.signal.aborted) return;
    this.#counts.failed += 1;
    const failing = (this.#counts.failing += 1);
    if (failing === 1 || failing % 10 === 0)
      this.options.warn(
        `recordings can not be copied to the bucket: ${whyOf(error)}; ${String(this.#counts.waiting)} wait, ${String(failing)} attempts failed`,
      );
    this.#next(retryPause(failing, this.options.random()));
  }
}

/** When the oldest of some sessions began. */
function oldestOf(sessions: readonly string[]): number | undefined {
  const [first] = sessions;
  return first === undefined
    ? undefined
    : idTimeMs(sessions.reduce((least, one) => (one < least ? one : least), first));
}

/** Our own words, the system's code or the store's own name of the error; nothing else that came from there. */
function whyOf(error: unknown): string {
  if (error instanceof StoreFault) return error.message;
  if (error instanceof HoopError) return error.why ?? error.message;
  const code = (error as NodeJS.ErrnoException | undefined)?.code;
  return typeof code === 'string' ? code : error instanceof Error ? error.name : 'unknown';
}

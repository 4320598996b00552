import type { Clock } from '../../core/clock.js';
import { HoopError } from '../../core/errors.js';
import type { RecordedEvent, SessionEnd, SessionStart } from '../../core/events.js';
import type { SessionTerm, StatementRow } from '../../core/recording-index.js';
import type { SessionSummary } from '../../core/session-summary.js';
import { FIRST_PREV } from '../chain.js';
import type { SealEvent } from '../chain.js';
import { signTextBeside } from '../keys.js';
import type { RecordingKey } from '../keys.js';
import { LineBuffer } from './line-buffer.js';
import { writeFailure } from './recording-file.js';
import type { Durability, RecordingFile } from './recording-file.js';
import type { SessionTally } from './session-tally.js';

/** Writes one session down. Whatever fails, fails for good: from then on every call throws. */
export interface SessionRecorder {
  readonly session: string;
  /** Takes it down; it is chained and written by `flush` at the latest. @throws HoopError `recording_failed` */
  record(event: RecordedEvent): void;
  /**
   * Everything recorded so far is in the kernel when this returns; with durability `sync`, on disk
   * when the promise resolves. Only then may what was recorded be forwarded.
   *
   * @throws HoopError `recording_failed`, or rejects with it
   */
  flush(): void | Promise<void>;
  /**
   * Ends and signs the recording. After a failure it closes what was written as `fault`, when the
   * file can be written again; else rejects, and the next start of the agent closes it.
   */
  seal(end: SessionEnd): Promise<void>;
}

export interface RecorderOptions {
  /** Called once, at the first write. Throws what the system throws. */
  readonly openFile: () => RecordingFile;
  /** The same beside the program, begun as soon as a session is told whose first write comes with its first flush. */
  readonly openBeside?: () => Promise<RecordingFile>;
  readonly durability: Durability;
  readonly key: RecordingKey;
  readonly clock: Clock;
  /** Something is buffered. */
  readonly onDirty: (recorder: ChainRecorder) => void;
  /** The first event is in the file. */
  readonly onStarted: (summary: SessionSummary) => void;
  readonly onRows: (rows: readonly StatementRow[]) => void;
  readonly onTerms: (terms: readonly SessionTerm[]) => void;
  readonly onSealed: (summary: SessionSummary) => void;
  /** Called once, with the failure that ended recording. */
  readonly onFailed: (error: HoopError, session: string) => void;
  /** The file is closed; called once. */
  readonly onClosed: (recorder: ChainRecorder) => void;
}

/** Events that wait for their place in the chain before they are given one without waiting for `flush`. */
const MAX_WAITING = 256;
/** Buffered bytes that are written without waiting for `flush`. */
const MAX_BUFFERED_BYTES = 1024 * 1024;

/** Where the chain of a file stands. */
export interface ChainPosition {
  readonly seq: number;
  readonly head: string;
}

export class ChainRecorder implements SessionRecorder {
  #position: ChainPosition;
  /** What is written, line by line whole. A failure goes back to it. */
  #written: ChainPosition;
  /** Told and not chained yet: an answer goes to the client before its events are hashed. */
  #waiting: { readonly event: RecordedEvent; readonly at: string }[] = [];
  readonly #lines = new LineBuffer();
  #file: RecordingFile | undefined;
  /** While the file is being made beside the program; never rejects. */
  #opening: Promise<void> | undefined;
  /** Until it is written. */
  #start: { readonly event: SessionStart; readonly at: string } | undefined;
  #failure: HoopError | undefined;
  #sealed = false;
  #sealing: Promise<void> | undefined;

  /**
   * @param tally has seen every event up to `position`
   * @param position where the chain goes on; a new file starts at `NEW_CHAIN`
   */
  constructor(
    readonly session: string,
    private readonly options: RecorderOptions,
    private readonly tally: SessionTally,
    position: ChainPosition = { seq: 0, head: FIRST_PREV },
  ) {
    this.#position = position;
    this.#written = position;
  }

  /** Where the file stands, for those who compare a live recording. */
  get written(): ChainPosition {
    return this.#written;
  }

  /** Events told that are not in the file yet. */
  get unwritten(): number {
    return this.#waiting.length + this.#position.seq - this.#written.seq;
  }

  /** The summary of a live session as it stands in the file, counts and title of what was told since included. */
  summary(): SessionSummary {
    return this.tally.summary({ head: this.#written.head, events: this.#written.seq });
  }

  /**
   * Takes down the first event, whose time also names the file; the first write makes the file and begins with it.
   *
   * @param write make it and write at once
   * @throws HoopError `recording_failed`
   */
  begin(start: SessionStart, at: string, write: boolean): void {
    this.#start = { event: start, at };
    this.tally.observe(start, at);
    if (!write) {
      this.#openBeside();
      return this.options.onDirty(this);
    }
    this.chain();
    this.#write();
  }

  record(event: RecordedEvent): void {
    this.#assertUsable();
    this.#waiting.push({ event, at: this.options.clock.timestamp() });
    if (this.#waiting.length > MAX_WAITING) this.chain();
    this.options.onDirty(this);
  }

  /**
   * Gives every event told so far its place in the chain.
   *
   * @throws HoopError `recording_failed`
   */
  chain(): void {
    if (this.#waiting.length === 0 && this.#start === undefined) return;
    const waiting = this.#waiting;
    this.#waiting = [];
    try {
      this.#appendStart();
      for (const { event, at } of waiting) {
        this.#append(event, at);
        this.tally.observe(event, at);
      }
    } catch (cause) {
      throw this.#fail(writeFailure(cause));
    }
    if (this.#lines.length > MAX_BUFFERED_BYTES && this.#opening === undefined) this.#write();
  }

  flush(): void | Promise<void> {
    this.#assertUsable();
    this.chain();
    if (this.#opening !== undefined) return this.#opening.then(() => this.flush());
    this.#write();
    if (this.options.durability === 'sync') return this.#sync();
  }

  /**
   * Everything recorded so far is in the kernel when this returns, whatever the durability; where the file is being made
   * it stays dirty.
   */
  writeOut(): void {
    this.#assertUsable();
    this.chain();
    if (this.#opening === undefined) this.#write();
    else this.options.onDirty(this);
  }

  seal(end: SessionEnd): Promise<void> {
    if (this.#sealed) return Promise.reject(new HoopError('recording_failed', 'the recording is sealed already'));
    this.#sealing = this.#endAndSign(end);
    return this.#sealing;
  }

  /** Settles when a seal that was begun is done; never rejects. */
  async sealed(): Promise<void> {
    await this.#sealing?.catch(() => undefined);
  }

  /** Lets go of what could not be started. */
  abandon(): void {
    this.#sealed = true;
    this.#lines.clear();
    if (this.#opening === undefined) this.#file?.abandon();
    else void this.#opening.then(() => this.#file?.abandon());
    this.options.onClosed(this);
  }

  #openBeside(): void {
    this.#opening = this.options.openBeside?.().then(
      (file) => {
        this.#file = file;
        this.#opening = undefined;
      },
      (cause: unknown) => {
        this.#opening = undefined;
        this.#fail(writeFailure(cause));
      },
    );
  }

  async #endAndSign(end: SessionEnd): Promise<void> {
    await this.#opening;
    if (this.#failure === undefined) this.#chainOrFail();
    this.#sealed = true;
    const failed = this.#failure !== undefined;
    this.#failure = undefined;
    try {
      const at = this.options.clock.timestamp();
      this.#appendStart();
      if (!this.tally.ended) {
        const last: SessionEnd = failed ? { ...end, reason: 'fault' } : end;
        this.#append(last, at);
        this.tally.observe(last, at);
      }
      this.#append(await this.#sealEvent(), at);
      this.#write();
      if (this.options.durability === 'sync') await this.#sync();
    } catch (cause) {
      throw this.#fail(writeFailure(cause));
    } finally {
      this.#file?.abandon();
      this.options.onClosed(this);
    }
    this.options.onSealed(this.summary());
  }

  /** What can't be chained has failed the recording, which `seal` then closes as such. */
  #chainOrFail(): void {
    try {
      this.chain();
    } catch {
      // `#failure` is set.
    }
  }

  async #sealEvent(): Promise<SealEvent> {
    const { key } = this.options;
    return { type: 'seal', keyId: key.keyId, signature: await signTextBeside(key, this.#position.head) };
  }

  /** Again after a failure that left nothing in the file. */
  #appendStart(): void {
    if (this.#start !== undefined && this.#position.seq === 0) this.#append(this.#start.event, this.#start.at);
  }

  #append(event: RecordedEvent | SealEvent, at: string): void {
    const seq = this.#position.seq + 1;
    this.#position = { seq, head: this.#lines.append(event, { seq, at, prev: this.#position.head }) };
  }

  #write(): void {
    if (this.#lines.length > 0) {
      try {
        const file = (this.#file ??= this.options.openFile());
        this.#lines.drain((bytes) => file.write(bytes));
      } catch (cause) {
        throw this.#fail(writeFailure(cause));
      }
      this.#written = this.#position;
      if (this.#start !== undefined) this.options.onStarted(this.tally.summary());
      this.#start = undefined;
    }
    const rows = this.tally.takeRows();
    if (rows.length > 0) this.options.onRows(rows);
    const terms = this.tally.takeTerms();
    if (terms.length > 0) this.options.onTerms(terms);
  }

  async #sync(): Promise<void> {
    try {
      await this.#file?.sync();
    } catch (cause) {
      throw this.#fail(writeFailure(cause));
    }
  }

  #assertUsable(): void {
    if (this.#failure !== undefined) throw this.#failure;
    if (this.#sealed) throw new HoopError('recording_failed', 'the recording is sealed already');
  }

  #fail(error: HoopError): HoopError {
    this.#lines.clear();
    this.#waiting = [];
    this.#position = this.#written;
    if (this.#failure === undefined) this.options.onFailed(error, this.session);
    this.#failure ??= error;
    return error;
  }
}

import { chmodSync, lstatSync, mkdirSync, rmSync, statSync } from 'node:fs';
import type { Stats } from 'node:fs';
import { join } from 'node:path';

import type { Clock } from '../core/clock.js';
import { HoopError } from '../core/errors.js';
import type { Fault } from '../core/errors.js';
import type { SessionStart } from '../core/events.js';
import { isId } from '../core/ids.js';
import type { RecordingIndex } from '../core/recording-index.js';
import type { SessionSummary } from '../core/session-summary.js';
import { CheckpointKeeper } from './folder/checkpoint-keeper.js';
import { lockFolder } from './folder/folder-lock.js';
import type { RecordingKey } from './keys.js';
import { ChainRecorder } from './writing/recorder.js';
import type { ChainPosition, RecorderOptions, SessionRecorder } from './writing/recorder.js';
import { PROBE, recoverRecordings } from './folder/recover.js';
import type { RecoveryReport } from './folder/recover.js';
import { RecordingFile, writeFailure } from './writing/recording-file.js';
import type { Durability } from './writing/recording-file.js';
import { RecordingPlace } from './writing/recording-place.js';
import { SessionTally } from './writing/session-tally.js';
import { Unwritten, type UnwrittenEvents } from './writing/unwritten.js';

export interface RecordingsOptions {
  /** The recordings folder; made 0700 where it is missing. */
  readonly dir: string;
  /** `flush`: in the kernel before forwarding; `sync`: on disk. */
  readonly durability: Durability;
  readonly key: RecordingKey;
  readonly clock: Clock;
  readonly index: RecordingIndex;
  /** Something went wrong that nobody waits for; `session` where it is one session's. */
  readonly onFault: (fault: Fault & { readonly session?: string }) => void;
}

/** When a recording's file is made. */
export type FirstWrite = 'now' | 'at-flush';

/** How often the folder of the day is looked at: is it still a folder of ours, and no link? In ms. */
const LOOK_MS = 1000;

/**
 * Opens the recordings folder for this process; call `recover` before the first session.
 *
 * @throws HoopError `recording_failed` when it can't be written or another agent uses it
 */
export function openRecordings(options: RecordingsOptions): Recordings {
  return new Recordings(options);
}

/** All recordings of one agent: opens sessions, knows which are live, keeps the folders' checkpoints. */
export class Recordings {
  readonly #live = new Map<string, ChainRecorder>();
  readonly #unwritten = new Unwritten();
  readonly #keeper: CheckpointKeeper;
  readonly #unlock: () => void;
  #date = '';
  #lookedMs = Number.NEGATIVE_INFINITY;
  #faults = 0;

  constructor(private readonly options: RecordingsOptions) {
    makeFolder(options.dir, statSync);
    this.#unlock = lockFolder(options.dir);
    const { dir, key, clock } = options;
    this.#keeper = new CheckpointKeeper({
      dir,
      key,
      clock,
      beforeWrite: () => options.index.drain?.() ?? options.index.flush(),
      onFault: (cause) => this.#tell(writeFailure(cause)),
    });
  }

  /** Closes and seals what a crash left open, and brings index and checkpoints up to date. */
  async recover(): Promise<RecoveryReport> {
    const { dir, index } = this.options;
    const report = await recoverRecordings({
      dir,
      index,
      keeper: this.#keeper,
      key: this.options.key,
      isLive: (session) => this.#live.has(session),
      recorderOptions: (openFile, date) => this.#recorderOptions(openFile, date),
    });
    await this.#keeper.flush();
    return report;
  }

  /**
   * Makes the file of a session that begins soon, beside the program: others need not wait for it, nor what the session
   * has to do before.
   *
   * @throws HoopError rejects with `recording_failed`: then the session may not start
   */
  async place(session: string): Promise<RecordingPlace> {
    const at = this.options.clock.timestamp();
    try {
      return new RecordingPlace(session, at, await this.#createBeside(at.slice(0, 10), this.#pathOf(session, at)));
    } catch (cause) {
      throw writeFailure(cause);
    }
  }

  /**
   * Starts a recording.
   *
   * @param firstWrite `now`, or a place that was made before: its first event is written when this returns. `at-flush`:
   *   file and first event come with the first `flush`, or within 100 ms, for sessions that forward nothing before their
   *   first flush.
   * @throws HoopError `recording_failed`: then no session may start, and the place is still there to be left
   */
  open(start: SessionStart, firstWrite: FirstWrite | RecordingPlace = 'now'): SessionRecorder {
    const place = typeof firstWrite === 'string' ? undefined : firstWrite;
    const at = place?.at ?? this.options.clock.timestamp();
    const date = at.slice(0, 10);
    const path = this.#pathOf(start.session, at);
    if (this.#live.has(start.session)) throw new HoopError('recording_failed', 'the session is recorded already');
    if (place !== undefined && place.session !== start.session)
      throw new HoopError('recording_failed', 'the place of the recording is another session’s');
    const openFile = (): RecordingFile => place?.take() ?? this.#createFile(date, path);
    const openBeside = (): Promise<RecordingFile> => this.#createBeside(date, path);
    const options = { openBeside, ...this.#recorderOptions(openFile, date) };
    const recorder = new ChainRecorder(start.session, options, new SessionTally());
    this.#live.set(start.session, recorder);
    try {
      recorder.begin(start, at, firstWrite !== 'at-flush');
    } catch (cause) {
      recorder.abandon();
      throw writeFailure(cause);
    }
    return recorder;
  }

  /** Everything sealed so far is listed by its checkpoint when the promise resolves. */
  readonly checkpointed = (): Promise<void> => this.#keeper.flush();

  /** Where a live recording stands in its file; undefined for sessions that are not live. */
  live(session: string): ChainPosition | undefined {
    return this.#live.get(session)?.written;
  }

  /**
   * The summary; of a live session with `events` and `head` of the file as it stands, for who compares a copy, and with
   * what was counted up to now.
   */
  withLive(summary: SessionSummary): SessionSummary {
    return summary.head === '' ? (this.#live.get(summary.id)?.summary() ?? summary) : summary;
  }

  /** How far the files are behind what was told; nothing waits for these events. */
  lag(): UnwrittenEvents & { readonly faults: number } {
    return { ...this.#unwritten.events(), faults: this.#faults };
  }

  /** Can a session be recorded now? For `/readyz`. */
  writable(): boolean {
    try {
      const probe = join(this.options.dir, PROBE);
      rmSync(probe, { force: true });
      const file = RecordingFile.create(probe);
      file.write(Buffer.from('\n'));
      file.close();
      rmSync(probe, { force: true });
      return true;
    } catch {
      return false;
    }
  }

  /** Lists everything sealed and gives the folder back. Sessions still open stay for the next start's recovery. */
  async close(): Promise<void> {
    await Promise.all([...this.#live.values()].map((recorder) => recorder.sealed()));
    this.#unwritten.close();
    await this.#keeper.flush();
    this.#unlock();
  }

  #recorderOptions(openFile: () => RecordingFile, date: string): RecorderOptions {
    const { durability, key, clock, index } = this.options;
    return {
      openFile,
      durability,
      key,
      clock,
      onStarted: (summary) => this.#index(() => index.sessionOpened(summary)),
      onDirty: (recorder) => this.#unwritten.mark(recorder),
      onRows: (rows) => this.#index(() => index.statementsSeen(rows)),
      onTerms: (terms) => this.#index(() => index.termsSeen?.(terms)),
      onFailed: (error, session) => this.#tell(error, session),
      onClosed: (recorder) => {
        this.#unwritten.forget(recorder);
        this.#live.delete(recorder.session);
      },
      onSealed: (summary: SessionSummary) => {
        this.#index(() => index.sessionSealed(summary));
        this.#keeper.sealed(date, summary.id, { events: summary.events, head: summary.head });
      },
    };
  }

  /** @param at when the session began, whose day names the folder */
  #pathOf(session: string, at: string): string {
    if (!isId(session)) throw new HoopError('recording_failed', 'session id is not a UUIDv7');
    return join(this.options.dir, at.slice(0, 10), `${session}.ndjson`);
  }

  #createFile(date: string, path: string): RecordingFile {
    this.#lookAtDay(date);
    try {
      return RecordingFile.create(path);
    } catch (cause) {
      if (!isMissing(cause)) throw cause;
      this.#enterDay(date);
      return RecordingFile.create(path);
    }
  }

  async #createBeside(date: string, path: string): Promise<RecordingFile> {
    this.#lookAtDay(date);
    try {
      return await RecordingFile.createBeside(path);
    } catch (cause) {
      if (!isMissing(cause)) throw cause;
      this.#enterDay(date);
      return RecordingFile.createBeside(path);
    }
  }

  #lookAtDay(date: string): void {
    const nowMs = performance.now();
    if (date === this.#date && nowMs - this.#lookedMs <= LOOK_MS) return;
    this.#enterDay(date);
    this.#lookedMs = nowMs;
  }

  /** The folder of a day, made at the first session of it. */
  #enterDay(date: string): void {
    if (makeFolder(join(this.options.dir, date), lstatSync)) this.#keeper.entered(date);
    if (this.#date !== '' && this.#date !== date) this.#keeper.forget(this.#date);
    this.#date = date;
  }

  /** The recording is the truth and the index a copy: its failure is told, and stops no session. */
  #index(tell: () => void): void {
    try {
      tell();
    } catch {
      this.options.onFault({ code: 'failed', message: 'the index of sessions can not be written' });
    }
  }

  #tell(error: HoopError, session?: string): void {
    this.#faults += 1;
    this.options.onFault({
      code: error.code,
      message: error.why ?? error.message,
      ...(session === undefined ? {} : { session }),
    });
  }
}

function isMissing(cause: unknown): boolean {
  return (cause as NodeJS.ErrnoException).code === 'ENOENT';
}

/**
 * The recordings folder may be reached by a link, as whoever runs the agent likes; a day's folder may not.
 *
 * @returns was it missing?
 */
function makeFolder(path: string, look: (path: string) => Stats): boolean {
  try {
    const made = mkdirSync(path, { recursive: true, mode: 0o700 }) !== undefined;
    const stat = look(path);
    if (!stat.isDirectory()) throw new HoopError('recording_failed', 'the recordings folder is not a folder');
    if ((stat.mode & 0o077) !== 0) chmodSync(path, 0o700);
    return made;
  } catch (cause) {
    throw writeFailure(cause);
  }
}

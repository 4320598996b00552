import { rename } from 'node:fs/promises';

import { join } from 'node:path';

import type { Clock } from '../../core/clock.js';
import {
  CHECKPOINT,
  CHECKPOINT_DRAFT,
  dayLine,
  readCheckpoint,
  renderCheckpoint,
  ROOT_FOLDER,
  SEGMENT_SESSIONS,
  segmentFrom,
  segmentLine,
  segmentName,
  sessionLine,
} from './checkpoint.js';
import type { SealedEntry, Segment } from './checkpoint.js';
import { publicKeyOf, SignatureChecker } from '../keys.js';
import type { RecordingKey } from '../keys.js';
import { readRecording } from '../reading/read.js';
import { replaceFile } from './replace-file.js';

/** Shortest pause between two writes, in ms: seals that come meanwhile share the next one. */
const MIN_PAUSE_MS = 250;
/** Writing may take this part of the time: where the disk is slow it is done less often, */
const MAX_SHARE = 0.02;
/** but pauses no longer than this, in ms. */
const MAX_PAUSE_MS = 1000;

export interface CheckpointKeeperOptions {
  readonly dir: string;
  readonly key: RecordingKey;
  readonly clock: Clock;
  /** Called before a checkpoint is written: what it lists must be in the index too. */
  readonly beforeWrite: () => void | Promise<void>;
  readonly onFault: (cause: unknown) => void;
}

interface Loaded {
  readonly sessions: ReadonlyMap<string, SealedEntry>;
  readonly broken: string | undefined;
}

interface Day {
  /** Sessions that no segment lists. */
  lines: Map<string, string>;
  segments: Segment[];
  /** Has what earlier runs listed been read? */
  loaded: boolean;
  /** Was a session sealed since the last write? */
  dirty: boolean;
}

/**
 * Rewrites the checkpoints of the folders in which sessions were sealed, at most four times a
 * second and at least once in one. What a day lists goes into segments as it grows, so that neither
 * memory nor what is rewritten grows with it.
 */
export class CheckpointKeeper {
  readonly #days = new Map<string, Day>();
  readonly #counts = new Map<string, number>();
  readonly #checker: SignatureChecker;
  #timer: NodeJS.Timeout | undefined;
  #writing: Promise<void> = Promise.resolve();
  /** A write that fails brings back what it was to list. */
  #busy = false;
  #pauseMs = 0;

  constructor(private readonly options: CheckpointKeeperOptions) {
    this.#checker = new SignatureChecker([publicKeyOf(options.key)]);
  }

  /**
   * Reads what earlier runs listed in a folder, as it must be before sessions of it are sealed.
   *
   * A checkpoint that does not hold is kept beside as `checkpoint.broken-TIME`, so that verification
   * goes on failing, and is told by the answer.
   */
  async load(folder: string): Promise<Loaded> {
    return this.#load(folder, true);
  }

  /** How many sessions of a day the recordings folder's checkpoint lists. */
  listed(date: string): number {
    return this.#counts.get(date) ?? 0;
  }

  /** The dates that the recordings folder's checkpoint lists. */
  dates(): readonly string[] {
    return [...this.#counts.keys()];
  }

  /** A day's folder was made: it gets a checkpoint that lists nothing yet. */
  entered(date: string): void {
    this.#day(date).dirty = true;
    this.#schedule();
  }

  /** A session was sealed; its folder's checkpoint follows within a second. */
  sealed(date: string, session: string, entry: SealedEntry): void {
    const day = this.#day(date);
    day.lines.set(session, sessionLine(session, entry));
    day.dirty = true;
    this.#schedule();
  }

  /** Everything sealed so far is listed when the promise resolves. */
  async flush(): Promise<void> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    await this.#enqueue();
  }

  /** Frees the entries of a day that nobody seals in any more. */
  forget(date: string): void {
    if (!this.#busy && this.#days.get(date)?.dirty === false) this.#days.delete(date);
  }

  #day(folder: string): Day {
    let day = this.#days.get(folder);
    if (day === undefined)
      this.#days.set(folder, (day = { lines: new Map(), segments: [], loaded: false, dirty: false }));
    return day;
  }

  /** @param whole segments too; without them only what is needed to go on */
  async #load(folder: string, whole: boolean): Promise<Loaded> {
    const path = this.#path(folder);
    const result = await this.#read(path, folder, whole);
    const day = this.#day(folder);
    day.loaded = true;
    // What is missing or broken is written, even when it lists nothing: then nothing was sealed here.
    day.dirty ||= result?.ok !== true;
    if (result === undefined) return { sessions: new Map(), broken: undefined };
    if (!result.ok) {
      await rename(join(path, CHECKPOINT), join(path, `${CHECKPOINT}.broken-${this.options.clock.nowMs()}`));
      return { sessions: new Map(), broken: result.break.message };
    }
    const { sessions, days, segments } = result.checkpoint;
    for (const [date, count] of days) this.#counts.set(date, count);
    // The checkpoint's own come before those of its segments.
    let own = whole ? sessions.size - listedBy(segments) : sessions.size;
    const lines = new Map<string, string>();
    for (const [session, entry] of sessions) {
      own -= 1;
      if (own < 0) break;
      lines.set(session, sessionLine(session, entry));
    }
    for (const [session, line] of day.lines) lines.set(session, line);
    day.lines = lines;
    day.segments = [...segments];
    return { sessions, broken: undefined };
  }

  #path(folder: string): string {
    return folder === ROOT_FOLDER ? this.options.dir : join(this.options.dir, folder);
  }

  async #read(path: string, folder: string, whole: boolean) {
    const bytesOf = (name: string): AsyncIterable<Uint8Array> => readRecording(join(path, name));
    const segment = whole ? (number: number) => bytesOf(segmentName(number)) : undefined;
    try {
      return await readCheckpoint(bytesOf(CHECKPOINT), folder, this.#checker, segment);
    } catch {
      return undefined;
    }
  }

  #schedule(): void {
    if (this.#timer !== undefined) return;
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      void this.#enqueue();
    }, this.#pauseMs);
    this.#timer.unref();
  }

  #enqueue(): Promise<void> {
    this.#writing = this.#writing.then(async () => {
      const started = performance.now();
      this.#busy = true;
      try {
        await this.#writeDirty();
      } catch (cause) {
        this.options.onFault(cause);
      }
      this.#busy = false;
      this.#pauseMs = Math.min(MAX_PAUSE_MS, Math.max(MIN_PAUSE_MS, (performance.now() - started) / MAX_SHARE));
    });
    return this.#writing;
  }

  async #writeDirty(): Promise<void> {
    const dirty = [...this.#days].filter(([, day]) => day.dirty);
    if (dirty.length === 0) return;
    const root = this.#day(ROOT_FOLDER);
    for (const [folder, day] of [...dirty, [ROOT_FOLDER, root] as const])
      if (!day.loaded) await this.#load(folder, false);
    // What is sealed from here on is listed the next time: it may not be in the index yet.
    const counts = dirty.map(([, day]) => {
      day.dirty = false;
      return day.lines.size;
    });
    try {
      await this.options.beforeWrite();
      for (const [index, [date, day]] of dirty.entries())
        if (day !== root) await this.#writeDay(date, day, counts[index] as number);
      await this.#writeRoot();
    } catch (cause) {
      for (const [, day] of dirty) day.dirty = true;
      throw cause;
    }
  }

  async #writeRoot(): Promise<void> {
    const lines = [...this.#counts].map(([date, sessions]) => dayLine(date, sessions));
    await this.#writeCheckpoint(ROOT_FOLDER, lines, lines.length);
  }

  /** @param count how many of the day's lines are listed, from the oldest on */
  async #writeDay(date: string, day: Day, count: number): Promise<void> {
    let rest = count;
    for (; rest >= SEGMENT_SESSIONS; rest -= SEGMENT_SESSIONS) await this.#writeSegment(date, day);
    const segments = day.segments.map((segment, index) => segmentLine(index + 1, segment));
    const listed = listedBy(day.segments) + rest;
    await this.#writeCheckpoint(date, [...segments, ...firstOf(day.lines.values(), rest)], listed);
    this.#counts.set(date, Math.max(this.listed(date), listed));
  }

  /** Moves the oldest lines of a day into a file of their own; the checkpoint written next names it. */
  async #writeSegment(date: string, day: Day): Promise<void> {
    const oldest = [...firstOf(day.lines, SEGMENT_SESSIONS)];
    const { text, segment } = segmentFrom(oldest.map(([, line]) => line));
    await replace(this.#path(date), segmentName(day.segments.length + 1), text);
    day.segments.push(segment);
    for (const [session] of oldest) day.lines.delete(session);
  }

  async #writeCheckpoint(folder: string, lines: readonly string[], listed: number): Promise<void> {
    const text = renderCheckpoint(lines, folder, this.options.key, this.options.clock.timestamp(), listed);
    await replace(this.#path(folder), CHECKPOINT, text);
  }
}

function replace(folder: string, name: string, text: string): Promise<void> {
  return replaceFile(join(folder, CHECKPOINT_DRAFT), join(folder, name), text);
}

function listedBy(segments: readonly Segment[]): number {
  return segments.reduce((sum, { entries }) => sum + entries, 0);
}

function* firstOf<T>(items: Iterable<T>, count: number): Generator<T> {
  let left = count;
  for (const item of items) {
    if (left === 0) return;
    left -= 1;
    yield item;
  }
}

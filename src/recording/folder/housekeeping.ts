import { rm } from 'node:fs/promises';
import { join } from 'node:path';

import type { Clock } from '../../core/clock.js';
import { compressRecording } from './compression.js';
import { datesBelow, recordingsOf, sealedOf } from './day-files.js';
import { publicKeyOf, SignatureChecker } from '../keys.js';
import type { RecordingKey } from '../keys.js';
import { readRecording } from '../reading/read.js';
import { applyRetention } from './retention.js';

export interface HousekeepingOptions {
  readonly dir: string;
  readonly key: RecordingKey;
  readonly clock: Clock;
  /** Compress what is closed? */
  readonly compress: boolean;
  /** As in `RetentionOptions`. */
  readonly retentionMs: number | undefined;
  readonly maxBytes: number | undefined;
  readonly onlyCopy?: ((date: string, session: string) => boolean) | undefined;
  readonly onRemoved: (date: string, through: string) => void | Promise<void>;
  /** Something was done: for the log. */
  readonly onDone: (done: HousekeepingReport) => void;
  readonly onFault: (error: unknown) => void;
}

export interface HousekeepingReport {
  readonly compressed: number;
  readonly removed: number;
}

/** Smaller files take a block of the disk either way. */
const MIN_COMPRESSED_BYTES = 4096;
/** Shortest pause between two runs, in ms. */
const MIN_PAUSE_MS = 30_000;
/** Very many recordings take long to look at: looking takes at most this part of the time. */
const REST_FACTOR = 50;

/** Looks after recordings that are closed, beside the program: compresses them, and removes them when their time is over. */
export class Housekeeping {
  #timer: NodeJS.Timeout | undefined;
  #running: Promise<void> = Promise.resolve();
  #closed = false;
  #compressedBeforeMs = Number.NEGATIVE_INFINITY;

  constructor(private readonly options: HousekeepingOptions) {}

  /** May a closed recording, which was last written then, become a smaller file yet? In ms since the epoch. */
  willCompress(changedMs: number, bytes: number): boolean {
    return this.options.compress && bytes >= MIN_COMPRESSED_BYTES && changedMs >= this.#compressedBeforeMs;
  }

  /** Runs now and then from here on. */
  start(): void {
    const { compress, retentionMs, maxBytes } = this.options;
    if (compress || retentionMs !== undefined || maxBytes !== undefined) this.#next(0);
  }

  /** Resolves when a run that goes on is done. */
  async close(): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#timer);
    await this.#running;
  }

  /** One run. Rejects with what reading and writing the folder throws. */
  async run(): Promise<HousekeepingReport> {
    const { dir, key, clock, compress, retentionMs, maxBytes, onlyCopy, onRemoved } = this.options;
    const kept = { retentionMs, maxBytes, onlyCopy, onRemoved };
    const removed =
      retentionMs === undefined && maxBytes === undefined
        ? 0
        : await applyRetention({ dir, key, nowMs: clock.nowMs(), at: clock.timestamp(), ...kept });
    const beganMs = clock.nowMs();
    const compressed = compress ? await this.#compress() : 0;
    if (!this.#closed) this.#compressedBeforeMs = beganMs;
    return { removed, compressed };
  }

  async #compress(): Promise<number> {
    const { dir, key } = this.options;
    const checker = new SignatureChecker([publicKeyOf(key)]);
    let done = 0;
    for (const date of await datesBelow(dir)) {
      const files = await recordingsOf(dir, date);
      const plain = files.filter(({ compressed, bytes }) => !compressed && bytes >= MIN_COMPRESSED_BYTES);
      if (plain.length === 0) continue;
      const sealed = await sealedOf(dir, date, checker);
      const packed = new Set(files.filter(({ compressed }) => compressed).map(({ session }) => session));
      for (const { session, name } of plain) {
        if (this.#closed) return done;
        if (!sealed.has(session)) continue;
        const path = join(dir, date, name);
        // A crash came between the new file and the end of the old one: the old one is the truth.
        if (packed.has(session)) await rm(`${path}.br`, { force: true });
        if (await compressRecording(path, readRecording)) done += 1;
      }
    }
    return done;
  }

  #next(pauseMs: number): void {
    if (this.#closed) return;
    this.#timer = setTimeout(() => {
      const startedMs = performance.now();
      this.#running = this.run()
        .then((done) => {
          if (done.compressed > 0 || done.removed > 0) this.options.onDone(done);
        }, this.options.onFault)
        .then(() => this.#next(Math.max(MIN_PAUSE_MS, (performance.now() - startedMs) * REST_FACTOR)));
    }, pauseMs);
    this.#timer.unref();
  }
}

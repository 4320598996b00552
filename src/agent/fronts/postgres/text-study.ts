import type { Worker } from 'node:worker_threads';
import { unread, type SqlReading } from '../../../protocols/postgres/facts/analyze.js';
import { openThread } from '../../thread.js';

/** A text that takes longer is not read; rules on statements then block it. */
const READ_MS = 30_000;
/** A reader holds some 150 MiB: one that has nothing to do for so long is let go. */
const IDLE_MS = 60_000;
/** Readers at once; further texts wait, in the order in which they came. */
const MAX_READERS = 2;

interface Task {
  readonly text: string;
  readonly done: (reading: SqlReading) => void;
}

interface Reader {
  readonly worker: Worker;
  task: Task | undefined;
  /** Of the task, or of idleness. */
  timer: NodeJS.Timeout | undefined;
}

/**
 * Reads large texts in threads of their own, so that the parser holds up nobody else: megabytes of SQL take seconds.
 *
 * A reader that takes too long, or dies of what it reads, is ended; its text counts as unreadable.
 */
export class TextStudy {
  readonly #readers = new Set<Reader>();
  readonly #waiting: Task[] = [];

  /** Never rejects: what can't be read is opaque. */
  read(text: string): Promise<SqlReading> {
    return new Promise((done) => {
      this.#waiting.push({ text, done });
      this.#next();
    });
  }

  #next(): void {
    if (this.#waiting.length === 0) return;
    const reader =
      [...this.#readers].find(({ task }) => task === undefined) ??
      (this.#readers.size < MAX_READERS ? this.#open() : undefined);
    if (reader === undefined) return;
    const task = this.#waiting.shift();
    if (task === undefined) return;
    clearTimeout(reader.timer);
    reader.task = task;
    reader.timer = setTimeout(() => {
      this.#drop(reader, 'text that takes too long to read');
    }, READ_MS).unref();
    reader.worker.postMessage(task.text);
  }

  #open(): Reader {
    const worker = openThread(new URL('./text-study-worker.js', import.meta.url));
    const reader: Reader = { worker, task: undefined, timer: undefined };
    this.#readers.add(reader);
    worker.on('message', (reading: SqlReading) => {
      this.#read(reader, reading);
    });
    worker.on('error', () => {
      this.#drop(reader, 'text that the parser fails on');
    });
    return reader;
  }

  #read(reader: Reader, reading: SqlReading): void {
    const { task } = reader;
    reader.task = undefined;
    clearTimeout(reader.timer);
    reader.timer = setTimeout(() => {
      this.#drop(reader, '');
    }, IDLE_MS).unref();
    // The text itself is not sent back.
    task?.done({ ...reading, facts: { ...reading.facts, text: task.text } });
    this.#next();
  }

  #drop(reader: Reader, why: string): void {
    if (!this.#readers.delete(reader)) return;
    clearTimeout(reader.timer);
    void reader.worker.terminate();
    reader.task?.done(unread(reader.task.text, why));
    this.#next();
  }
}

import { randomBytes } from 'node:crypto';
import { constants } from 'node:fs';
import { open, rm } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';

import { toJsonLine } from '../../core/display.js';
import { HoopError } from '../../core/errors.js';
import { READ_FLAGS } from '../../recording/reading/read.js';
import { entryJson } from '../../recording/replay/entry.js';
import { IndexCache } from '../../recording/replay/index-cache.js';
import { ReplayLog } from '../../recording/replay/log.js';
import { recordingBytes } from '../recordings/recording-source.js';
import { replayEntries } from './replay-entries.js';
import type { EntryOptions, ReplayTarget } from './replay-entries.js';

/** How often a growing file is looked at, in ms. */
const LOOK_MS = 150;
const FLUSH_BYTES = 256 * 1024;
const OPENING_BRACE = 0x7b;

/** A recording that can be looked at while the rest of it is still being read. */
export interface OpenedLog {
  readonly log: ReplayLog;
  /** Part that is read, 0 to 1; undefined where nobody knows how much there is. */
  read(): number | undefined;
  /** Settles when all is read; rejects where it cannot be. */
  readonly done: Promise<void>;
  close(): Promise<void>;
}

/**
 * Opens a recording for looking at any place of it. A file is read where it stands, and the index of a large one is
 * kept in `cacheFolder`; what comes from the agent, or is several sessions, goes into a file of its own that has no
 * name any more and is gone with the process.
 *
 * @throws HoopError `not_found`
 */
export async function openReplayLog(
  target: ReplayTarget,
  options: EntryOptions & { readonly cacheFolder: string },
): Promise<OpenedLog> {
  const place = target.kind === 'recording' ? target.place : undefined;
  if (place?.kind === 'file') {
    const file = await openFile(place.path);
    if (await startsPlain(file)) return openedFile(file, place.path, options);
    await file.close();
  }
  return spooled(target, options);
}

async function openFile(path: string): Promise<FileHandle> {
  try {
    const file = await open(path, READ_FLAGS);
    if ((await file.stat()).isFile()) return file;
    await file.close();
  } catch (cause) {
    throw new HoopError('not_found', 'recording can not be opened', { cause });
  }
  throw new HoopError('not_found', 'recording is not a regular file');
}

/** A closed recording may be kept compressed: there is no place to look at in it. */
async function startsPlain(file: FileHandle): Promise<boolean> {
  const { bytesRead, buffer } = await file.read(Buffer.alloc(1), 0, 1, 0);
  return bytesRead === 0 || buffer[0] === OPENING_BRACE;
}

async function openedFile(
  file: FileHandle,
  path: string,
  { follow, cacheFolder }: EntryOptions & { readonly cacheFolder: string },
): Promise<OpenedLog> {
  const cache = new IndexCache(cacheFolder);
  const stats = await file.stat({ bigint: true });
  const kept = await cache.load(path, stats);
  const log = new ReplayLog(file, kept);
  const growth = new Growth(log);
  const done = (async (): Promise<void> => {
    await growth.extend();
    if (kept === undefined) await cache.save(path, stats, log.index);
    while (follow && !growth.closed && (await log.entry(log.length - 1))?.event.type !== 'seal') {
      await wait(LOOK_MS, undefined, { ref: false });
      if (!growth.closed) await growth.extend();
    }
  })();
  return opened(growth, done, () => (follow ? undefined : growth.doneBytes / Math.max(1, Number(stats.size))));
}

async function spooled(target: ReplayTarget, options: EntryOptions): Promise<OpenedLog> {
  const path = join(tmpdir(), `hoop-replay-${randomBytes(9).toString('hex')}`);
  const { O_RDWR, O_CREAT, O_EXCL, O_NOFOLLOW } = constants;
  const file = await open(path, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW, 0o600);
  await rm(path, { force: true });
  const growth = new Growth(new ReplayLog(file));
  const done = (async (): Promise<void> => {
    let size = 0;
    let held: Uint8Array[] = [];
    let heldBytes = 0;
    const flush = async (): Promise<void> => {
      for (const chunk of held) size += (await file.write(chunk, 0, chunk.length, size)).bytesWritten;
      [held, heldBytes] = [[], 0];
      await growth.extend();
    };
    for await (const chunk of lineBytes(target, options)) {
      if (growth.closed) return;
      held.push(chunk);
      heldBytes += chunk.length;
      if (options.follow || heldBytes >= FLUSH_BYTES) await flush();
    }
    await flush();
  })();
  return opened(growth, done, () => undefined);
}

/** One recording as its bytes, several as lines of entries. */
async function* lineBytes(target: ReplayTarget, options: EntryOptions): AsyncGenerator<Uint8Array> {
  if (target.kind === 'recording' && !options.follow) {
    yield* recordingBytes(target.place, options.agent);
    return;
  }
  for await (const entry of replayEntries(target, options)) yield Buffer.from(`${toJsonLine(entryJson(entry))}\n`);
}

/** Takes in what was added, one look at a time. */
class Growth {
  closed = false;
  doneBytes = 0;

  constructor(readonly log: ReplayLog) {}

  async extend(): Promise<void> {
    if (this.closed) return;
    await this.log.extend((bytes) => (this.doneBytes = bytes));
    this.doneBytes = this.log.index.endOffset;
  }
}

function opened(growth: Growth, done: Promise<void>, read: () => number | undefined): OpenedLog {
  let over = false;
  const settled = done.finally(() => (over = true));
  settled.catch(() => undefined);
  return {
    log: growth.log,
    read: () => (over ? 1 : read()),
    done: settled,
    close: async () => {
      growth.closed = true;
      await growth.log.close();
    },
  };
}

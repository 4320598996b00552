import { constants } from 'node:fs';
import { open, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';

import { HoopError } from '../../core/errors.js';
import { idTimeMs } from '../../core/ids.js';
import { datesBelow, recordingsOf, sealedOf } from './day-files.js';
import type { DayFile } from './day-files.js';
import { publicKeyOf, SignatureChecker } from '../keys.js';
import type { RecordingKey } from '../keys.js';
import { replaceFile } from './replace-file.js';
import { readTombstone, renderTombstone, TOMBSTONE, TOMBSTONE_DRAFT } from './tombstone.js';

/** Recordings of a day that are looked at before something else may run. */
const SLICE = 500;

export interface RetentionOptions {
  readonly dir: string;
  readonly key: RecordingKey;
  readonly nowMs: number;
  /** RFC 3339 UTC. */
  readonly at: string;
  /** How long a recording is kept, from the start of its session, in ms; undefined: for ever. */
  readonly retentionMs: number | undefined;
  /** Most bytes of all recordings together; undefined: no bound. */
  readonly maxBytes: number | undefined;
  /** Is this the only copy, which has to be kept whatever its age? */
  readonly onlyCopy?: ((date: string, session: string) => boolean) | undefined;
  /** These sessions of a day, up to `through`, are gone. */
  readonly onRemoved: (date: string, through: string) => void | Promise<void>;
}

/**
 * Removes what is older than it may be, and the oldest while there is too much. Only what is sealed and listed goes, in
 * the order of time: a session that is live, or whose file does not hold, or that is still to be copied elsewhere, keeps
 * those of its day that came after it.
 * The signed tombstone is on disk before the first file goes.
 *
 * @returns how many recordings were removed
 * @throws HoopError `verify_failed` for a tombstone that does not hold: its day is left as it is
 */
export async function applyRetention(options: RetentionOptions): Promise<number> {
  const { dir, nowMs, retentionMs, maxBytes } = options;
  const days: { readonly date: string; readonly files: readonly DayFile[] }[] = [];
  let total = 0;
  for (const date of await datesBelow(dir)) {
    const files = await recordingsOf(dir, date);
    days.push({ date, files });
    for (const { bytes } of files) total += bytes;
  }
  const oldestMs = retentionMs === undefined ? Number.NEGATIVE_INFINITY : nowMs - retentionMs;
  const most = maxBytes ?? Number.POSITIVE_INFINITY;
  let removed = 0;
  for (const { date, files } of days) {
    const [first] = files;
    if (first === undefined || (total <= most && idTimeMs(first.session) >= oldestMs)) continue;
    const due = await dueOf(options, date, files, (file) => {
      const goes = total > most || idTimeMs(file.session) < oldestMs;
      if (goes) total -= file.bytes;
      return goes;
    });
    const aged = due.length > 0 && idTimeMs((due.at(-1) as DayFile).session) < oldestMs;
    if (due.length > 0) await remove(options, date, due, aged ? 'age' : 'size');
    removed += new Set(due.map(({ session }) => session)).size;
  }
  return removed;
}

async function dueOf(
  { dir, key, onlyCopy }: RetentionOptions,
  date: string,
  files: readonly DayFile[],
  goes: (file: DayFile) => boolean,
): Promise<readonly DayFile[]> {
  const sealed = await sealedOf(dir, date, new SignatureChecker([publicKeyOf(key)]));
  const due: DayFile[] = [];
  for (const [at, file] of files.entries()) {
    // Whoever knows whether it is the only copy looks it up: others come between.
    if (at % SLICE === SLICE - 1) await setImmediate();
    if (!sealed.has(file.session) || onlyCopy?.(date, file.session) === true || !goes(file)) break;
    due.push(file);
  }
  return due;
}

async function remove(
  options: RetentionOptions,
  date: string,
  due: readonly DayFile[],
  reason: 'age' | 'size',
): Promise<void> {
  const { dir, key, at } = options;
  const folder = join(dir, date);
  const before = await readTombstone(folder, date, new SignatureChecker([publicKeyOf(key)]));
  if (!before.ok) throw new HoopError('verify_failed', before.message);
  const sessions = new Set(due.map(({ session }) => session));
  const through = (due.at(-1) as DayFile).session;
  const counted = (before.tombstone?.removed ?? 0) + sessions.size;
  await writeTombstone(folder, renderTombstone({ at, reason, removed: counted, through }, date, key));
  for (const { name } of due) await rm(join(folder, name), { force: true });
  await options.onRemoved(date, through);
}

async function writeTombstone(folder: string, text: string): Promise<void> {
  await replaceFile(join(folder, TOMBSTONE_DRAFT), join(folder, TOMBSTONE), text);
  const { O_DIRECTORY, O_RDONLY } = constants;
  const entry = await open(folder, O_RDONLY | O_DIRECTORY);
  try {
    await entry.sync();
  } finally {
    await entry.close();
  }
}

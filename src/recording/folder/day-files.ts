import { lstat, readdir } from 'node:fs/promises';
import { join } from 'node:path';

import { isId } from '../../core/ids.js';
import { CHECKPOINT, readCheckpoint, segmentName } from './checkpoint.js';
import type { SealedEntry } from './checkpoint.js';
import { COMPRESSED } from './compression.js';
import type { SignatureChecker } from '../keys.js';
import { readRecording } from '../reading/read.js';

const DATE = /^\d{4}-\d{2}-\d{2}$/;
const NAME = /^(.{36})\.ndjson(\.br)?$/;

/** A recording as it lies in the folder of its day. */
export interface DayFile {
  readonly session: string;
  readonly name: string;
  readonly compressed: boolean;
  readonly bytes: number;
}

/** The days of a recordings folder, oldest first. */
export async function datesBelow(dir: string): Promise<readonly string[]> {
  const entries = await readdir(dir, { withFileTypes: true });
  return entries
    .filter((entry) => entry.isDirectory() && DATE.test(entry.name))
    .map(({ name }) => name)
    .sort();
}

/** The session that a file's name stands for; undefined for other names. */
export function sessionOfFile(name: string): { readonly session: string; readonly compressed: boolean } | undefined {
  const [, session = '', ending] = NAME.exec(name) ?? [];
  return isId(session) ? { session, compressed: ending === COMPRESSED } : undefined;
}

/** The recordings of a day, in the order of their sessions' ids: oldest first. */
export async function recordingsOf(dir: string, date: string): Promise<readonly DayFile[]> {
  const found: DayFile[] = [];
  for (const name of (await readdir(join(dir, date))).sort()) {
    const one = sessionOfFile(name);
    if (one === undefined) continue;
    const stat = await lstat(join(dir, date, name)).catch(() => undefined);
    if (stat?.isFile() === true) found.push({ ...one, name, bytes: stat.size });
  }
  return found;
}

/** What the day's checkpoint lists: closed, sealed, and known to be what it was. Empty where it does not hold. */
export async function sealedOf(
  dir: string,
  date: string,
  checker: SignatureChecker,
): Promise<ReadonlyMap<string, SealedEntry>> {
  const bytesOf = (name: string): AsyncIterable<Uint8Array> => readRecording(join(dir, date, name));
  try {
    const result = await readCheckpoint(bytesOf(CHECKPOINT), date, checker, (part) => bytesOf(segmentName(part)));
    return result.ok ? result.checkpoint.sessions : new Map();
  } catch {
    return new Map();
  }
}

import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { CHECKPOINT, segmentOf } from '../../recording/folder/checkpoint.js';

/** A span of time, RFC 3339 UTC; `to` is not part of it. */
export interface AuditSpan {
  readonly from: string;
  readonly to: string;
}

const DAY_MS = 86_400_000;

/** Every date that a span touches, `YYYY-MM-DD`, `to` excluded. */
export function datesOf(fromMs: number, toMs: number): readonly string[] {
  const dates: string[] = [];
  for (let atMs = Math.floor(fromMs / DAY_MS) * DAY_MS; atMs < toMs; atMs += DAY_MS)
    dates.push(new Date(atMs).toISOString().slice(0, 10));
  return dates;
}

/** What a folder says about itself, signed: checkpoint, its parts, tombstone. */
export async function signedLists(
  folder: string,
): Promise<readonly { readonly name: string; readonly bytes: Buffer }[]> {
  const names = await readdir(folder).catch(() => []);
  const lists = names.filter((name) => name === CHECKPOINT || name === 'tombstone' || segmentOf(name) !== undefined);
  return Promise.all(lists.sort().map(async (name) => ({ name, bytes: await readFile(join(folder, name)) })));
}

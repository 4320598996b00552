import { createHash } from 'node:crypto';
import { constants } from 'node:fs';
import { lstat, open } from 'node:fs/promises';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';

import { CHECKPOINT, readCheckpoint, ROOT_FOLDER, segmentName } from '../recording/folder/checkpoint.js';
import { COMPRESSED } from '../recording/folder/compression.js';
import type { SignatureChecker } from '../recording/keys.js';
import { readRecording } from '../recording/reading/read.js';
import { TOMBSTONE } from '../recording/folder/tombstone.js';
import type { ObjectBody } from './object-store.js';

/** What the bucket has confirmed, by paths below the recordings folder; a recording's is `DATE/SESSION`. */
export interface UploadLedger {
  /** Hex SHA-256 of what was confirmed under this path. */
  confirmed(path: string): string | undefined;
  /** On disk when it returns. */
  confirm(uploads: readonly Confirmation[]): void;
}

export interface Confirmation {
  readonly path: string;
  /** Hex, of the bytes as they were sent. */
  readonly sha256: string;
  readonly bytes: number;
  /** RFC 3339 UTC. */
  readonly at: string;
}

/** A small file as it was at one moment, under its path below the recordings folder. */
export interface Snapshot {
  readonly path: string;
  readonly bytes: Buffer;
}

/** What of a day is to be copied: recordings first, then what lists them. */
export interface DueDay {
  readonly sessions: readonly string[];
  /** In the order in which they go. */
  readonly lists: readonly Snapshot[];
}

/** A checkpoint that does not hold: nothing says what of its day is sealed. */
export class BrokenDay extends Error {}

/**
 * What of a day the bucket has not confirmed. The checkpoint is taken as it is now, and goes once all that it lists has gone:
 * a copy of the bucket is whole at any time, up to recordings that its checkpoint does not list yet.
 *
 * @throws BrokenDay; what reading throws
 */
export async function dueOfDay(
  dir: string,
  date: string,
  checker: SignatureChecker,
  ledger: UploadLedger,
): Promise<DueDay> {
  const checkpoint = await snapshot(dir, `${date}/${CHECKPOINT}`);
  const tombstone = await snapshot(dir, `${date}/${TOMBSTONE}`);
  const lists = [checkpoint, tombstone].filter((one): one is Snapshot => one !== undefined && isNew(one, ledger));
  if (checkpoint === undefined || !lists.includes(checkpoint)) return { sessions: [], lists };
  let parts = 0;
  while (ledger.confirmed(`${date}/${segmentName(parts + 1)}`) !== undefined) parts += 1;
  const partOf = (number: number): AsyncIterable<Uint8Array> => readRecording(join(dir, date, segmentName(number)));
  const result = await readCheckpoint(bytesOf(checkpoint.bytes), date, checker, partOf, parts);
  if (!result.ok) throw new BrokenDay(result.break.message);
  const { sessions, segments } = result.checkpoint;
  const segmentsDue: Snapshot[] = [];
  for (let part = parts + 1; part <= segments.length; part += 1) {
    const one = await snapshot(dir, `${date}/${segmentName(part)}`);
    if (one !== undefined) segmentsDue.push(one);
  }
  const waiting = await unconfirmed(sessions.keys(), (session) => ledger.confirmed(`${date}/${session}`));
  return { sessions: waiting, lists: [...segmentsDue, ...lists] };
}

/** A day may hold a million: others come between. */
async function unconfirmed(
  sessions: Iterable<string>,
  confirmed: (session: string) => string | undefined,
): Promise<readonly string[]> {
  const found: string[] = [];
  let looked = 0;
  for (const session of sessions) {
    if (confirmed(session) === undefined) found.push(session);
    looked += 1;
    if (looked % SLICE === 0) await setImmediate();
  }
  return found;
}

/** The checkpoint of the recordings folder itself, where it is not confirmed as it is. */
export async function dueOfRoot(
  dir: string,
  checker: SignatureChecker,
  ledger: UploadLedger,
): Promise<Snapshot | undefined> {
  const checkpoint = await snapshot(dir, CHECKPOINT);
  if (checkpoint === undefined || !isNew(checkpoint, ledger)) return undefined;
  const result = await readCheckpoint(bytesOf(checkpoint.bytes), ROOT_FOLDER, checker);
  if (!result.ok) throw new BrokenDay(result.break.message);
  return checkpoint;
}

/** A recording as it lies in its folder; undefined where it does not, as after retention. */
export async function recordingFile(
  dir: string,
  date: string,
  session: string,
): Promise<{ readonly name: string; readonly bytes: number; readonly changedMs: number } | undefined> {
  for (const ending of [COMPRESSED, '']) {
    const name = `${date}/${session}.ndjson${ending}`;
    const stat = await lstat(join(dir, name)).catch(() => undefined);
    if (stat?.isFile() === true && stat.nlink === 1) return { name, bytes: stat.size, changedMs: stat.mtimeMs };
  }
  return undefined;
}

/** The bytes of a file as they lie there, compressed or not. */
export function fileBody(path: string, bytes: number): ObjectBody {
  return { bytes, open: (from, to) => fileBytes(path, from, to) };
}

export function bufferBody(bytes: Buffer): ObjectBody {
  return { bytes: bytes.length, open: (from, to) => bytesOf(bytes.subarray(from, to)) };
}

/** Sessions looked up before something else may run. */
const SLICE = 500;

/** Changes with a day's checkpoint and tombstone, and with them alone. */
export async function stampOfDay(dir: string, date: string): Promise<string> {
  const stats = [CHECKPOINT, TOMBSTONE].map((name) => lstat(join(dir, date, name)).catch(() => undefined));
  return (await Promise.all(stats)).map((stat) => `${String(stat?.ino)} ${String(stat?.mtimeMs)}`).join(' ');
}

export function isNew({ path, bytes }: Snapshot, ledger: UploadLedger): boolean {
  return ledger.confirmed(path) !== createHash('sha256').update(bytes).digest('hex');
}

const CHUNK_BYTES = 256 * 1024;

async function* fileBytes(path: string, from: number, to: number): AsyncGenerator<Uint8Array> {
  const handle = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  try {
    for (let at = from; at < to;) {
      const { bytesRead, buffer } = await handle.read(
        Buffer.allocUnsafe(Math.min(CHUNK_BYTES, to - at)),
        0,
        Math.min(CHUNK_BYTES, to - at),
        at,
      );
      if (bytesRead === 0) throw new Error('the file became shorter');
      at += bytesRead;
      yield buffer.subarray(0, bytesRead);
    }
  } finally {
    await handle.close();
  }
}

async function snapshot(dir: string, path: string): Promise<Snapshot | undefined> {
  const stat = await lstat(join(dir, path)).catch(() => undefined);
  if (stat?.isFile() !== true) return undefined;
  const chunks: Uint8Array[] = [];
  for await (const chunk of readRecording(join(dir, path))) chunks.push(chunk);
  return { path, bytes: Buffer.concat(chunks) };
}

async function* bytesOf(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  await Promise.resolve();
  yield bytes;
}

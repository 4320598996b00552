import { closeSync, constants, fstatSync, openSync } from 'node:fs';
import { lstat, open, readdir } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';

import { HoopError } from '../../core/errors.js';
import type { Break, BreakKind } from './chain-checker.js';
import { CHECKPOINT, CHECKPOINT_DRAFT, ROOT_FOLDER, type Checkpoint } from '../folder/checkpoint.js';
import { readCheckpoint, segmentName, segmentOf } from '../folder/checkpoint.js';
import { LOCK } from '../folder/folder-lock.js';
import { SignatureChecker } from '../keys.js';
import type { RecordingPublicKey } from '../keys.js';
import { COMPRESSED, COMPRESSED_DRAFT } from '../folder/compression.js';
import { sessionOfFile } from '../folder/day-files.js';
import { hasRecording, READ_FLAGS, readDescriptor, readRecording } from '../reading/read.js';
import { coveredBy, readTombstone, TOMBSTONE, TOMBSTONE_DRAFT } from '../folder/tombstone.js';
import type { Tombstone } from '../folder/tombstone.js';
import { PROBE } from '../folder/recover.js';
import { verifyRecording } from './verify.js';
import type { Anchor, CrashEnd } from './verify.js';

/** What the agent knows of the sessions that the caller may read. */
export interface SessionIndex {
  /** What the agent says of one session; undefined when it knows none or the caller may not read it. */
  anchor(session: string): Promise<Anchor | undefined>;
  /** Sessions that started on a day, by its date. */
  sessions(date: string): Promise<readonly string[]>;
}

export interface VerifyFolderOptions {
  readonly keys: readonly RecordingPublicKey[];
  /** The agent's index; without it the folder's checkpoint alone says what must be there. */
  readonly index?: SessionIndex;
  /** Called after each file that holds, for progress. */
  readonly onVerified?: (file: string) => void;
}

export interface FolderBreak extends Break {
  /** Path below the folder given. */
  readonly file: string;
  /** Empty where the name is no session's. */
  readonly session: string;
}

/** A recording that holds, of a session that a crash of the agent ended. */
export interface CrashedSession extends CrashEnd {
  /** Path below the folder given. */
  readonly file: string;
  readonly session: string;
}

export interface FolderVerification {
  readonly ok: boolean;
  /** Recordings that hold. */
  readonly verified: number;
  /** Recordings that a signed tombstone says were removed when their time was over. */
  readonly removed: number;
  /** Of those that hold. A crash is no tampering: what was written before it is all there. */
  readonly crashes: readonly CrashedSession[];
  /** In the order found, at most `MAX_BREAKS`. */
  readonly breaks: readonly FolderBreak[];
  /** Was an agent's index asked? If not, a removal together with an older checkpoint can't be seen. */
  readonly offline: boolean;
}

const MAX_BREAKS = 1000;
const DATE = /^\d{4}-\d{2}-\d{2}$/;
/** Names the agent itself puts into a folder; whatever else lies there is unlisted. */
const OWN_NAMES = new Set([CHECKPOINT, CHECKPOINT_DRAFT, TOMBSTONE, TOMBSTONE_DRAFT, COMPRESSED_DRAFT]);

/**
 * Proves a day's folder, or a recordings folder with its days: every recording, and that none is
 * missing, extra, empty, linked or unlisted, by the agent's index or the signed checkpoint.
 *
 * @throws HoopError `not_found` when the folder can't be read
 */
export async function verifyFolder(path: string, options: VerifyFolderOptions): Promise<FolderVerification> {
  const run = new FolderRun(options);
  const name = basename(resolve(path));
  if (DATE.test(name)) await run.day(path, name, '');
  else await run.root(path);
  const { breaks, verified, removed, broken, crashes } = run;
  return { ok: broken === 0, verified, removed, crashes, breaks, offline: options.index === undefined };
}

/** A recording that holds by itself. */
interface FoundRecording {
  readonly events: number;
  readonly head: string;
  readonly live: boolean;
}

/** A day's folder, and the newest checkpoint of it. */
interface DayPlace {
  readonly path: string;
  readonly date: string;
  /** Put before names in breaks. */
  readonly below: string;
  readonly checkpoint: Checkpoint | undefined;
  readonly tombstone: Tombstone | undefined;
}

class FolderRun {
  verified = 0;
  removed = 0;
  broken = 0;
  readonly breaks: FolderBreak[] = [];
  readonly crashes: CrashedSession[] = [];
  readonly #checker: SignatureChecker;

  constructor(private readonly options: VerifyFolderOptions) {
    this.#checker = new SignatureChecker(options.keys);
  }

  async root(path: string): Promise<void> {
    const counts = new Map<string, number>();
    for (const name of await list(path)) {
      if (OWN_NAMES.has(name) || name === LOCK || name === PROBE) continue;
      if (!DATE.test(name)) this.#break(name, 'unlisted', 'nothing that the agent puts here');
      else if (!(await lstat(join(path, name))).isDirectory()) this.#break(name, 'linked', 'the day is no folder');
      else counts.set(name, await this.day(join(path, name), name, `${name}/`));
    }
    const checkpoint = await this.#checkpoint(path, ROOT_FOLDER, '');
    for (const [date, sessions] of checkpoint?.days ?? []) {
      const found = counts.get(date);
      if (found === undefined) this.#break(date, 'missing', 'the folder of a day is gone');
      else if (found < sessions)
        this.#break(`${date}/${CHECKPOINT}`, 'checkpoint', 'the checkpoint is older than the one of the whole folder');
    }
  }

  /** @returns how many sessions the day's checkpoint lists */
  async day(path: string, date: string, below: string): Promise<number> {
    const before = await this.#checkpoint(path, date, below);
    /** Those that no checkpoint has listed yet; what was listed and holds need not be kept in mind. */
    const open = new Map<string, FoundRecording>();
    const present = new Set<string>();
    let lastPart = 0;
    for (const name of await list(path)) {
      if (OWN_NAMES.has(name)) continue;
      const part = segmentOf(name);
      if (part !== undefined) lastPart = Math.max(lastPart, part);
      const session = sessionOfFile(name)?.session;
      if (part === undefined && session === undefined) this.#break(below + name, 'unlisted', 'no name of a recording');
      if (session === undefined) continue;
      present.add(session);
      const found = await this.#file(join(path, name), date, session, below + name, before);
      if (found === undefined || found.live || this.#listed(found, session, below + name, before)) continue;
      open.set(session, found);
    }
    // What was sealed while the files were being read is listed by now.
    const grown = open.size > 0 || lastPart > partsOf(before);
    const checkpoint = grown ? await this.#checkpoint(path, date, below) : before;
    // One more may lie there already: the checkpoint that names it is written behind it.
    if (lastPart > partsOf(checkpoint) + 1)
      this.#break(below + segmentName(lastPart), 'unlisted', 'a part of a checkpoint that none names');
    const buried = await readTombstone(path, date, this.#checker);
    if (!buried.ok) this.#break(below + TOMBSTONE, buried.kind, buried.message);
    const tombstone = buried.ok ? buried.tombstone : undefined;
    await this.#compare({ path, date, below, checkpoint, tombstone }, open, present);
    return checkpoint?.sessions.size ?? Number.MAX_SAFE_INTEGER;
  }

  async #compare(
    { path, date, below, checkpoint, tombstone }: DayPlace,
    open: ReadonlyMap<string, FoundRecording>,
    present: ReadonlySet<string>,
  ): Promise<void> {
    const { index } = this.options;
    const known = new Set(index === undefined ? [] : await index.sessions(date));
    for (const [session, found] of open) {
      const name = `${below}${session}.ndjson`;
      if (this.#listed(found, session, name, checkpoint)) continue;
      if (!known.has(session) && (checkpoint !== undefined || index !== undefined))
        this.#break(name, 'unlisted', 'a recording that nobody lists', session);
      else this.#hold(name);
    }
    const listed = checkpoint?.sessions ?? new Map<string, unknown>();
    const missing = async (session: string): Promise<void> => {
      if (present.has(session) || hasRecording(join(path, `${session}.ndjson`))) return;
      if (coveredBy(tombstone, session)) {
        this.removed += 1;
        return;
      }
      this.#break(`${below}${session}.ndjson`, 'missing', 'a recording is gone', session);
    };
    for (const session of known) await missing(session);
    for (const session of listed.keys()) if (!known.has(session)) await missing(session);
  }

  /** Compares a recording with what a checkpoint says of it. @returns false where it says nothing */
  #listed(found: FoundRecording, session: string, name: string, checkpoint: Checkpoint | undefined): boolean {
    const entry = checkpoint?.sessions.get(session);
    if (entry === undefined) return false;
    if (entry.head === found.head && entry.events === found.events) this.#hold(name);
    else this.#break(name, 'changed', 'the recording is not the one that the checkpoint lists', session);
    return true;
  }

  async #file(
    path: string,
    date: string,
    session: string,
    name: string,
    checkpoint: Checkpoint | undefined,
  ): Promise<FoundRecording | undefined> {
    const entry = checkpoint?.sessions.get(session);
    const anchor =
      (await this.options.index?.anchor(session)) ?? (entry === undefined ? undefined : { ...entry, sealed: true });
    const fd = this.#open(path, session, name);
    if (fd === undefined) return undefined;
    try {
      const known = anchor === undefined ? {} : { anchor };
      const bytes = path.endsWith(COMPRESSED) ? readRecording(path) : readDescriptor(fd);
      const result = await verifyRecording(bytes, { keys: this.#checker, date, session, ...known });
      if (!result.ok) {
        const { kind, seq, line, message } = result;
        this.#add({ file: name, session, kind, seq, line, message });
        return undefined;
      }
      if (result.live) this.#hold(name);
      if (result.crash !== undefined) this.crashes.push({ file: name, session, ...result.crash });
      return result;
    } finally {
      closeSync(fd);
    }
  }

  /** A recording as one regular file of one name, or the reason why it is none. */
  #open(path: string, session: string, name: string): number | undefined {
    let fd: number;
    try {
      fd = openSync(path, READ_FLAGS);
    } catch (error) {
      const linked = (error as NodeJS.ErrnoException).code === 'ELOOP';
      const message = linked ? 'the recording is a link' : 'the recording can not be opened';
      this.#break(name, linked ? 'linked' : 'unreadable', message, session);
      return undefined;
    }
    const stat = fstatSync(fd);
    if (stat.isFile() && stat.nlink === 1) return fd;
    closeSync(fd);
    this.#break(name, 'linked', 'the recording is a link or no regular file', session);
    return undefined;
  }

  async #checkpoint(path: string, folder: string, below: string): Promise<Checkpoint | undefined> {
    const file = join(path, CHECKPOINT);
    if (!(await exists(file))) {
      // The agent's index says what must be there; without it only the checkpoint could.
      if (this.options.index === undefined) this.#break(below + CHECKPOINT, 'missing', 'the folder has no checkpoint');
      return undefined;
    }
    try {
      const part = (number: number): AsyncIterable<Uint8Array> => readRecording(join(path, segmentName(number)));
      const result = await readCheckpoint(readRecording(file), folder, this.#checker, part);
      if (result.ok) return result.checkpoint;
      this.#add({ file: below + CHECKPOINT, session: '', ...result.break });
    } catch {
      this.#break(below + CHECKPOINT, 'linked', 'the checkpoint is a link or can not be read');
    }
    return undefined;
  }

  #hold(name: string): void {
    this.verified += 1;
    this.options.onVerified?.(name);
  }

  #break(file: string, kind: BreakKind, message: string, session = ''): void {
    this.#add({ file, session, kind, seq: 0, line: 0, message });
  }

  #add(found: FolderBreak): void {
    this.broken += 1;
    if (this.breaks.length < MAX_BREAKS) this.breaks.push(found);
  }
}

function partsOf(checkpoint: Checkpoint | undefined): number {
  return checkpoint?.segments.length ?? 0;
}

async function list(path: string): Promise<readonly string[]> {
  try {
    // A link to a folder is followed only as the one the user named.
    const handle = await open(path, constants.O_RDONLY | constants.O_DIRECTORY);
    await handle.close();
    return (await readdir(path)).sort();
  } catch (cause) {
    throw new HoopError('not_found', 'folder can not be read', { cause });
  }
}

async function exists(path: string): Promise<boolean> {
  return lstat(path).then(
    () => true,
    () => false,
  );
}

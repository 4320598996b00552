import { createHash } from 'node:crypto';
import { lstat, readdir } from 'node:fs/promises';
import { basename, join } from 'node:path';

import { HoopError } from '../../core/errors.js';
import type { BreakKind } from './chain-checker.js';
import { ABOUT, bundledRecording, isBundleName, SUMS, SUMS_SIGNATURE } from './bundle.js';
import { CHECKPOINT, readCheckpoint, ROOT_FOLDER, segmentName } from '../folder/checkpoint.js';
import type { Checkpoint } from '../folder/checkpoint.js';
import { SignatureChecker } from '../keys.js';
import type { RecordingPublicKey } from '../keys.js';
import { splitLines } from '../reading/lines.js';
import { readRecording } from '../reading/read.js';
import { coveredBy, readTombstone } from '../folder/tombstone.js';
import { verifyRecording } from './verify.js';
import type { CrashedSession, FolderBreak } from './verify-folder.js';

export interface BundleVerification {
  readonly ok: boolean;
  /** Recordings that hold. */
  readonly verified: number;
  readonly crashes: readonly CrashedSession[];
  /** In the order found, at most `MAX_BREAKS`. */
  readonly breaks: readonly FolderBreak[];
  readonly keyId: string;
}

const MAX_BREAKS = 1000;
/** Of a million files. */
const MAX_SUMS_BYTES = 256 * 1024 * 1024;
const MAX_SMALL_BYTES = 4096;
const DAY_MS = 86_400_000;

/**
 * Proves an unpacked evidence bundle by itself: that its list of files was signed by a trusted key, that every file is
 * the one that was listed and none is missing or extra, every recording, every checkpoint; that every session of the
 * index is there, and every one that the checkpoints of whole days list; that every policy is what its hash says.
 *
 * @throws what reading the folder throws; what does not hold is a result
 */
export async function verifyBundle(folder: string, keys: readonly RecordingPublicKey[]): Promise<BundleVerification> {
  const run = new BundleRun(folder, new SignatureChecker(keys));
  await run.all();
  const { breaks, broken, verified, crashes, keyId } = run;
  return { ok: broken === 0, verified, crashes, breaks, keyId };
}

class BundleRun {
  verified = 0;
  broken = 0;
  keyId = '';
  readonly breaks: FolderBreak[] = [];
  readonly crashes: CrashedSession[] = [];
  readonly #sums = new Map<string, string>();
  readonly #held = new Map<string, { readonly head: string; readonly events: number }>();
  #span = { from: '', to: '' };

  constructor(
    private readonly folder: string,
    private readonly checker: SignatureChecker,
  ) {}

  async all(): Promise<void> {
    if (!(await this.#list())) return;
    const present = await this.#files();
    for (const name of this.#sums.keys()) if (!present.includes(name)) this.#break(name, 'missing', 'a file is gone');
    for (const name of present) await this.#file(name);
    await this.#about();
    await this.#index();
    await this.#checkpoint('recordings', ROOT_FOLDER);
    const dates = new Set(present.flatMap((name) => /^recordings\/(\d{4}-\d{2}-\d{2})\//.exec(name)?.[1] ?? []));
    for (const date of [...dates].sort()) await this.#day(date);
  }

  /** The signed list of files. @returns can the rest be judged by it? */
  async #list(): Promise<boolean> {
    const sums = await readWhole(join(this.folder, SUMS), MAX_SUMS_BYTES);
    const signature = await readWhole(join(this.folder, SUMS_SIGNATURE), MAX_SMALL_BYTES);
    if (sums === undefined) return this.#break(SUMS, 'missing', 'the bundle has no list of its files');
    if (signature === undefined) return this.#break(SUMS_SIGNATURE, 'missing', 'the list of files has no signature');
    const keyId = this.checker.signerOf(sums, signature);
    if (keyId === undefined) {
      const foreign = !(await this.#ownKeys()).some((own) => this.checker.knows(own));
      return foreign
        ? this.#break(SUMS_SIGNATURE, 'another-key', 'the bundle is signed by a key that is not trusted')
        : this.#break(SUMS_SIGNATURE, 'bad-signature', 'the signature does not fit the list of files');
    }
    this.keyId = keyId;
    for (const line of sums.toString().split('\n').slice(0, -1)) {
      const [hash, name] = line.split('  ');
      if (hash !== undefined && name !== undefined) this.#sums.set(name, hash);
    }
    return true;
  }

  /** Ids of the keys that the bundle brings along, as their files are named. */
  async #ownKeys(): Promise<readonly string[]> {
    return (await readdir(join(this.folder, 'keys')).catch(() => [])).map((name) => basename(name, '.pem'));
  }

  /** Paths of everything that lies in the folder; what no bundle holds is broken. */
  async #files(): Promise<readonly string[]> {
    const found: string[] = [];
    const entries = await readdir(this.folder, { recursive: true, withFileTypes: true });
    for (const entry of entries) {
      const name = join(entry.parentPath, entry.name).slice(join(this.folder).length).replace(/^\//, '');
      if (entry.isDirectory() || name === SUMS || name === SUMS_SIGNATURE) continue;
      if (!isBundleName(name) || !this.#sums.has(name))
        this.#break(name, 'unlisted', 'the list of files has no such file');
      else if (!entry.isFile()) this.#break(name, 'linked', 'the file is a link');
      else found.push(name);
    }
    return found.sort();
  }

  async #file(name: string): Promise<void> {
    const path = join(this.folder, name);
    const recording = bundledRecording(name);
    if (recording !== undefined) {
      const { date, session } = recording;
      const result = await verifyRecording(readRecording(path), { keys: this.checker, date, session });
      if (!result.ok) {
        const { kind, seq, line, message } = result;
        this.#add({ file: name, session, kind, seq, line, message });
        return;
      }
      this.#held.set(session, result);
      if (result.crash !== undefined) this.crashes.push({ file: name, session, ...result.crash });
    }
    const hash = createHash('sha256');
    for await (const chunk of readRecording(path)) hash.update(chunk);
    const digest = hash.digest('hex');
    if (digest !== this.#sums.get(name)) this.#break(name, 'changed', 'the file is not the one that was listed');
    else if (name.startsWith('policies/') && digest !== basename(name, '.json'))
      this.#break(name, 'changed', 'the policies are not those of this hash');
    else if (recording !== undefined) this.verified += 1;
  }

  async #about(): Promise<void> {
    try {
      const text = (await readWhole(join(this.folder, ABOUT), MAX_SUMS_BYTES))?.toString() ?? '';
      const about = JSON.parse(text) as Readonly<Record<string, unknown>>;
      this.#span = { from: String(about['from']), to: String(about['to']) };
      const { live, gone } = about;
      for (const id of [live, gone].flat()) this.#excused.add(String(id));
    } catch {
      this.#break(ABOUT, 'changed', 'the bundle does not say what it is of');
    }
  }

  /** Sessions that had no recording to export: still live, or removed. */
  readonly #excused = new Set<string>();

  /** Every session that the agent's index knew of is there. */
  async #index(): Promise<void> {
    const path = join(this.folder, 'sessions.ndjson');
    if ((await lstat(path).catch(() => undefined)) === undefined) return;
    for await (const lines of splitLines(readRecording(path))) {
      for (const { bytes } of lines) {
        const { id, head, events } = sessionOf(bytes);
        const held = this.#held.get(id);
        if (held === undefined) {
          if (!this.#excused.has(id) && !this.breaks.some(({ session }) => session === id))
            this.#break(`session ${id}`, 'missing', 'a recording is gone', id);
        } else if (held.head !== head || held.events !== events)
          this.#break(`session ${id}`, 'changed', 'the recording is not the one that the index lists', id);
      }
    }
  }

  async #day(date: string): Promise<void> {
    const path = join(this.folder, 'recordings', date);
    const checkpoint = await this.#checkpoint(`recordings/${date}`, date);
    const found = await readTombstone(path, date, this.checker);
    if (!found.ok) this.#break(`recordings/${date}/tombstone`, found.kind, found.message);
    const tombstone = found.ok ? found.tombstone : undefined;
    const startMs = Date.parse(date);
    const whole = Date.parse(this.#span.from) <= startMs && startMs + DAY_MS <= Date.parse(this.#span.to);
    for (const [session, entry] of checkpoint?.sessions ?? []) {
      const held = this.#held.get(session);
      const name = `recordings/${date}/${session}.ndjson`;
      if (held === undefined) {
        if (whole && !coveredBy(tombstone, session) && !this.breaks.some((one) => one.session === session))
          this.#break(name, 'missing', 'a recording that the checkpoint lists is gone', session);
      } else if (held.head !== entry.head || held.events !== entry.events)
        this.#break(name, 'changed', 'the recording is not the one that the checkpoint lists', session);
    }
  }

  async #checkpoint(below: string, folder: string): Promise<Checkpoint | undefined> {
    const path = join(this.folder, below);
    const part = (number: number): AsyncIterable<Uint8Array> => readRecording(join(path, segmentName(number)));
    try {
      const result = await readCheckpoint(readRecording(join(path, CHECKPOINT)), folder, this.checker, part);
      if (result.ok) return result.checkpoint;
      this.#add({ file: `${below}/${CHECKPOINT}`, session: '', ...result.break });
    } catch {
      // Not there: the signed list of files says whether it should be.
    }
    return undefined;
  }

  #break(file: string, kind: BreakKind, message: string, session = ''): false {
    this.#add({ file, session, kind, seq: 0, line: 0, message });
    return false;
  }

  #add(found: FolderBreak): void {
    this.broken += 1;
    if (this.breaks.length < MAX_BREAKS) this.breaks.push(found);
  }
}

/** Undefined where it is no regular file of at most so many bytes: no link is followed, no pipe or device is waited for. */
async function readWhole(path: string, maxBytes: number): Promise<Buffer | undefined> {
  const parts: Uint8Array[] = [];
  let size = 0;
  try {
    for await (const chunk of readRecording(path)) {
      size += chunk.length;
      if (size > maxBytes) return undefined;
      parts.push(chunk);
    }
  } catch (error) {
    if (error instanceof HoopError) return undefined;
    throw error;
  }
  return Buffer.concat(parts);
}

function sessionOf(bytes: Uint8Array): { readonly id: string; readonly head: unknown; readonly events: unknown } {
  try {
    const { id, head, events } = JSON.parse(Buffer.from(bytes).toString()) as Readonly<Record<string, unknown>>;
    return { id: String(id), head, events };
  } catch {
    return { id: '', head: '', events: 0 };
  }
}

import { createHash } from 'node:crypto';

import { canonicalJson } from '../../core/canonical-json.js';
import type { Break } from '../proof/chain-checker.js';
import { signText } from '../keys.js';
import type { RecordingKey, SignatureChecker } from '../keys.js';
import { splitLines } from '../reading/lines.js';

/**
 * A folder's `checkpoint`: what was sealed in it, signed. Canonical JSON lines; of a day's folder
 *
 * ```
 * {"entries":1000,"lists":"…","segment":1}       one for each `checkpoint.1`, `checkpoint.2`, …
 * {"events":12,"head":"…","session":"…"}         one for each sealed session, in order of sealing
 * {"at":"…","entries":1,"folder":"2026-11-21","keyId":"…","lists":"…","signature":"…","type":"checkpoint"}
 * ```
 *
 * and of the recordings folder itself `{"date":"2026-11-21","sessions":1}` lines, `folder` being
 * `recordings`. `lists` is the hex SHA-256 of every byte before the last line; `signature` is base64
 * Ed25519 over the last line's canonical JSON without `signature`; `entries` counts sessions or days.
 *
 * A day of very many sessions moves its oldest `SEGMENT_SESSIONS` lines into a segment, a file beside that is never
 * written again: what is rewritten at every seal stays small. A segment holds session lines alone; `lists` of its line
 * is the hex SHA-256 of the whole file.
 */
export const CHECKPOINT = 'checkpoint';

/** The checkpoint while it is being written; never looked at. */
export const CHECKPOINT_DRAFT = '.checkpoint.new';

/** `folder` of the checkpoint that lists the days. */
export const ROOT_FOLDER = 'recordings';

/** Sessions that a segment lists. */
export const SEGMENT_SESSIONS = 1000;

const MAX_ENTRY_BYTES = 4096;
/** Most lines of one file: whether they are the agent's is known at the last one only. */
const MAX_ENTRIES = 500_000;
const SEGMENT_NAME = /^checkpoint\.([1-9]\d{0,8})$/;

/** The file of a segment, counted from 1. */
export function segmentName(segment: number): string {
  return `${CHECKPOINT}.${segment}`;
}

/** The number of the segment that a file's name stands for; undefined for other names. */
export function segmentOf(name: string): number | undefined {
  const number = SEGMENT_NAME.exec(name)?.[1];
  return number === undefined ? undefined : Number(number);
}

export interface Segment {
  readonly entries: number;
  /** Hex SHA-256 of the file. */
  readonly lists: string;
}

export interface SealedEntry {
  readonly events: number;
  readonly head: string;
}

/** One line of a day's checkpoint, with its line end. */
export function sessionLine(session: string, entry: SealedEntry): string {
  return `${canonicalJson({ events: entry.events, head: entry.head, session })}\n`;
}

/** The line that names a segment, with its line end. */
export function segmentLine(segment: number, { entries, lists }: Segment): string {
  return `${canonicalJson({ entries, lists, segment })}\n`;
}

/** A segment's text as its line describes it. */
export function segmentFrom(lines: readonly string[]): { readonly text: string; readonly segment: Segment } {
  const text = lines.join('');
  return { text, segment: { entries: lines.length, lists: createHash('sha256').update(text).digest('hex') } };
}

/** One line of the recordings folder's checkpoint, with its line end. */
export function dayLine(date: string, sessions: number): string {
  return `${canonicalJson({ date, sessions })}\n`;
}

/**
 * The whole file.
 *
 * @param entries sessions or days listed, those of the segments included
 */
export function renderCheckpoint(
  lines: readonly string[],
  folder: string,
  key: RecordingKey,
  at: string,
  entries = lines.length,
): string {
  const body = lines.join('');
  const lists = createHash('sha256').update(body).digest('hex');
  const last = { at, entries, folder, keyId: key.keyId, lists, type: 'checkpoint' };
  return `${body}${canonicalJson({ ...last, signature: signText(key, canonicalJson(last)) })}\n`;
}

export interface Checkpoint {
  /** By session; empty in the recordings folder's. Those of segments only where they were read. */
  readonly sessions: Map<string, SealedEntry>;
  /** Sealed sessions by date; empty in a day's. */
  readonly days: ReadonlyMap<string, number>;
  readonly segments: readonly Segment[];
  readonly at: string;
}

export type CheckpointResult =
  { readonly ok: true; readonly checkpoint: Checkpoint } | { readonly ok: false; readonly break: Break };

/**
 * Reads and proves a checkpoint. Holds its entries, about 250 bytes each.
 *
 * @param openSegment the bytes of `checkpoint.N`; left out, segments are neither read nor proven
 * @param after as many segments, the oldest, are neither read nor proven
 */
export async function readCheckpoint(
  chunks: AsyncIterable<Uint8Array>,
  folder: string,
  keys: SignatureChecker,
  openSegment?: (segment: number) => AsyncIterable<Uint8Array>,
  after = 0,
): Promise<CheckpointResult> {
  const found = new Entries();
  const broken = (message: string, kind: Break['kind'] = 'checkpoint', line = found.lines): CheckpointResult => ({
    ok: false,
    break: { kind, seq: 0, line, message: `the checkpoint ${message}` },
  });
  const fault = await found.read(chunks);
  if (fault === 'twice') return broken('lists something twice or not at all', 'duplicate');
  if (fault === 'changed') return broken('was changed');
  if (found.last === undefined) return broken('was cut off');
  const { signature, ...signed } = found.last;
  const { keyId, at } = signed;
  if (typeof keyId !== 'string' || typeof signature !== 'string' || typeof at !== 'string')
    return broken('was changed');
  if (!keys.knows(keyId)) return broken('is by a key that is not trusted', 'another-key');
  if (!keys.holds(keyId, canonicalJson(signed), signature))
    return broken('has a signature that does not fit', 'bad-signature');
  if (signed['lists'] !== found.digest() || signed['entries'] !== found.count) return broken('was changed');
  if (signed['folder'] !== folder) return broken('belongs to another folder');
  const { sessions, days, segments } = found;
  if (openSegment !== undefined) {
    for (const [index, segment] of segments.entries()) {
      if (index < after) continue;
      const wrong = await readSegment(() => openSegment(index + 1), segment, sessions);
      if (wrong !== undefined) return broken(`has a part, ${segmentName(index + 1)}, that ${wrong}`, 'checkpoint', 0);
    }
  }
  return { ok: true, checkpoint: { sessions, days, segments, at } };
}

/** Adds what a segment lists. @returns what is wrong with it */
async function readSegment(
  open: () => AsyncIterable<Uint8Array>,
  segment: Segment,
  sessions: Map<string, SealedEntry>,
): Promise<string | undefined> {
  const found = new Entries(sessions);
  const before = sessions.size;
  let fault: string | undefined;
  try {
    fault = await found.read(open());
  } catch {
    return 'is gone or can not be read';
  }
  if (fault === 'twice') return 'lists a session twice';
  const whole = fault === undefined && found.digest() === segment.lists && sessions.size - before === segment.entries;
  return whole && found.last === undefined ? undefined : 'was changed';
}

/** The lines of a checkpoint or of a segment, as they come. */
class Entries {
  readonly days = new Map<string, number>();
  readonly segments: Segment[] = [];
  last: Readonly<Record<string, unknown>> | undefined;
  lines = 0;
  readonly #lists = createHash('sha256');

  constructor(readonly sessions = new Map<string, SealedEntry>()) {}

  /** Hex SHA-256 of every line but the last. */
  digest(): string {
    return this.#lists.digest('hex');
  }

  get count(): number {
    return this.segments.reduce((sum, { entries }) => sum + entries, this.sessions.size + this.days.size);
  }

  async read(chunks: AsyncIterable<Uint8Array>): Promise<'changed' | 'twice' | undefined> {
    for await (const batch of splitLines(chunks, MAX_ENTRY_BYTES)) {
      for (const line of batch) {
        this.lines += 1;
        if (this.lines > MAX_ENTRIES) return 'changed';
        const entry = parseEntry(line.bytes);
        if (!line.ended || line.tooLong || entry === undefined || this.last !== undefined) return 'changed';
        if (entry['type'] === 'checkpoint') {
          this.last = entry;
          continue;
        }
        this.#lists.update(line.bytes).update('\n');
        const fault = this.#take(entry);
        if (fault !== undefined) return fault;
      }
    }
    return undefined;
  }

  #take(entry: Readonly<Record<string, unknown>>): 'changed' | 'twice' | undefined {
    const { session, events, head, date, sessions, segment, entries, lists } = entry;
    if (typeof session === 'string' && typeof events === 'number' && typeof head === 'string') {
      if (this.sessions.has(session)) return 'twice';
      this.sessions.set(session, { events, head });
    } else if (typeof date === 'string' && typeof sessions === 'number') {
      if (this.days.has(date)) return 'twice';
      this.days.set(date, sessions);
    } else if (typeof segment === 'number' && typeof entries === 'number' && typeof lists === 'string') {
      if (segment !== this.segments.length + 1) return 'changed';
      this.segments.push({ entries, lists });
    } else return 'twice';
    return undefined;
  }
}

function parseEntry(bytes: Uint8Array): Readonly<Record<string, unknown>> | undefined {
  try {
    const text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
    const value: unknown = JSON.parse(text);
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined;
    return canonicalJson(value) === text ? (value as Readonly<Record<string, unknown>>) : undefined;
  } catch {
    return undefined;
  }
}

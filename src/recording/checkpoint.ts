import { createHash } from 'node:crypto';

import { canonicalJson } from '../core/canonical-json.js';
import type { Break } from './chain-checker.js';
import { signText } from './keys.js';
import type { RecordingKey, SignatureChecker } from './keys.js';
import { splitLines } from './lines.js';

/**
 * A folder's `checkpoint`: what was sealed in it, signed. Canonical JSON lines; of a day's folder
 *
 * ```
 * {"events":12,"head":"…","session":"…"}         one for each sealed session, in order of sealing
 * {"at":"…","entries":1,"folder":"2026-11-21","keyId":"…","lists":"…","signature":"…","type":"checkpoint"}
 * ```
 *
 * and of the recordings folder itself `{"date":"2026-11-21","sessions":1}` lines, `folder` being
 * `recordings`. `lists` is the hex SHA-256 of every byte before the last line; `signature` is base64
 * Ed25519 over the last line's canonical JSON without `signature`.
 */
export const CHECKPOINT = 'checkpoint';

/** The checkpoint while it is being written; never looked at. */
export const CHECKPOINT_DRAFT = '.checkpoint.new';

/** `folder` of the checkpoint that lists the days. */
export const ROOT_FOLDER = 'recordings';

const MAX_ENTRY_BYTES = 4096;

export interface SealedEntry {
  readonly events: number;
  readonly head: string;
}

/** One line of a day's checkpoint, with its line end. */
export function sessionLine(session: string, entry: SealedEntry): string {
  return `${canonicalJson({ events: entry.events, head: entry.head, session })}\n`;
}

/** One line of the recordings folder's checkpoint, with its line end. */
export function dayLine(date: string, sessions: number): string {
  return `${canonicalJson({ date, sessions })}\n`;
}

/** The whole file. */
export function renderCheckpoint(lines: readonly string[], folder: string, key: RecordingKey, at: string): string {
  const body = lines.join('');
  const lists = createHash('sha256').update(body).digest('hex');
  const last = { at, entries: lines.length, folder, keyId: key.keyId, lists, type: 'checkpoint' };
  return `${body}${canonicalJson({ ...last, signature: signText(key, canonicalJson(last)) })}\n`;
}

export interface Checkpoint {
  /** By session; empty in the recordings folder's. */
  readonly sessions: ReadonlyMap<string, SealedEntry>;
  /** Sealed sessions by date; empty in a day's. */
  readonly days: ReadonlyMap<string, number>;
  readonly at: string;
}

export type CheckpointResult =
  { readonly ok: true; readonly checkpoint: Checkpoint } | { readonly ok: false; readonly break: Break };

/** Reads and proves a checkpoint. Holds its entries, about 200 bytes each. */
export async function readCheckpoint(
  chunks: AsyncIterable<Uint8Array>,
  folder: string,
  keys: SignatureChecker,
): Promise<CheckpointResult> {
  const sessions = new Map<string, SealedEntry>();
  const days = new Map<string, number>();
  const lists = createHash('sha256');
  let lines = 0;
  let last: Readonly<Record<string, unknown>> | undefined;
  const broken = (message: string, kind: Break['kind'] = 'checkpoint'): CheckpointResult => ({
    ok: false,
    break: { kind, seq: 0, line: lines, message: `the checkpoint ${message}` },
  });
  for await (const batch of splitLines(chunks, MAX_ENTRY_BYTES)) {
    for (const line of batch) {
      lines += 1;
      const entry = parseEntry(line.bytes);
      if (!line.ended || line.tooLong || entry === undefined || last !== undefined) return broken('was changed');
      if (entry['type'] === 'checkpoint') {
        last = entry;
        continue;
      }
      lists.update(line.bytes).update('\n');
      const { session, events, head, date, sessions: count } = entry;
      if (
        typeof session === 'string' &&
        typeof events === 'number' &&
        typeof head === 'string' &&
        !sessions.has(session)
      ) {
        sessions.set(session, { events, head });
      } else if (typeof date === 'string' && typeof count === 'number' && !days.has(date)) days.set(date, count);
      else return broken('lists something twice or not at all', 'duplicate');
    }
  }
  if (last === undefined) return broken('was cut off');
  const { signature, ...signed } = last;
  const { keyId, at } = signed;
  if (typeof keyId !== 'string' || typeof signature !== 'string' || typeof at !== 'string')
    return broken('was changed');
  if (!keys.knows(keyId)) return broken('is by a key that is not trusted', 'another-key');
  if (!keys.holds(keyId, canonicalJson(signed), signature))
    return broken('has a signature that does not fit', 'bad-signature');
  if (signed['lists'] !== lists.digest('hex') || signed['entries'] !== sessions.size + days.size)
    return broken('was changed');
  if (signed['folder'] !== folder) return broken('belongs to another folder');
  return { ok: true, checkpoint: { sessions, days, at } };
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

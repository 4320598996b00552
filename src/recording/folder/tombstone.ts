import { lstat } from 'node:fs/promises';
import { join } from 'node:path';

import { canonicalJson } from '../../core/canonical-json.js';
import type { BreakKind } from '../proof/chain-checker.js';
import { signText } from '../keys.js';
import type { RecordingKey, SignatureChecker } from '../keys.js';
import { readRecording } from '../reading/read.js';

/**
 * What retention leaves in a day's folder: one signed line,
 *
 * ```
 * {"at":"…","folder":"2026-11-21","keyId":"…","reason":"age","removed":12,"signature":"…","through":"…","type":"tombstone"}
 * ```
 *
 * Retention removes the oldest sessions of a day first, and ids are in the order of time; so `through`, the youngest
 * that was removed, says for every session of the day whether it should still be there. `removed` counts all of the day.
 * `signature` is base64 Ed25519 over the line's canonical JSON without `signature`.
 */
export const TOMBSTONE = 'tombstone';

/** The tombstone while it is being written; never looked at. */
export const TOMBSTONE_DRAFT = '.tombstone.new';

const MAX_BYTES = 4096;

export interface Tombstone {
  /** RFC 3339 UTC, when the last of them were removed. */
  readonly at: string;
  /** `age` or `size`: what made them go. */
  readonly reason: string;
  readonly removed: number;
  /** Sessions up to this one, by their ids, were removed. */
  readonly through: string;
}

/** The whole file. */
export function renderTombstone(tombstone: Tombstone, folder: string, key: RecordingKey): string {
  const { at, reason, removed, through } = tombstone;
  const signed = { at, folder, keyId: key.keyId, reason, removed, through, type: 'tombstone' };
  return `${canonicalJson({ ...signed, signature: signText(key, canonicalJson(signed)) })}\n`;
}

export type TombstoneResult =
  | { readonly ok: true; readonly tombstone: Tombstone | undefined }
  | { readonly ok: false; readonly kind: BreakKind; readonly message: string };

/** Reads and proves the tombstone of a day's folder; `tombstone` is undefined where there is none. */
export async function readTombstone(path: string, folder: string, checker: SignatureChecker): Promise<TombstoneResult> {
  const file = join(path, TOMBSTONE);
  const stat = await lstat(file).catch(() => undefined);
  if (stat === undefined) return { ok: true, tombstone: undefined };
  const broken = (kind: BreakKind, what: string): TombstoneResult => ({
    ok: false,
    kind,
    message: `the tombstone ${what}`,
  });
  if (!stat.isFile() || stat.nlink !== 1) return broken('linked', 'is a link or no regular file');
  const fields = stat.size > MAX_BYTES ? undefined : parse(await textOf(file));
  if (fields === undefined) return broken('tombstone', 'was changed');
  const { signature, ...signed } = fields;
  const { at, keyId, reason, removed, through } = signed;
  if (typeof signature !== 'string' || typeof keyId !== 'string') return broken('tombstone', 'was changed');
  if (!checker.knows(keyId)) return broken('another-key', 'is by a key that is not trusted');
  if (!checker.holds(keyId, canonicalJson(signed), signature))
    return broken('bad-signature', 'has a signature that does not fit');
  if (signed['folder'] !== folder || signed['type'] !== 'tombstone')
    return broken('tombstone', 'belongs to another folder');
  return {
    ok: true,
    tombstone: { at: String(at), reason: String(reason), removed: Number(removed), through: String(through) },
  };
}

/** Was a session, which is not there, removed by retention? */
export function coveredBy(tombstone: Tombstone | undefined, session: string): boolean {
  return tombstone !== undefined && session <= tombstone.through;
}

async function textOf(file: string): Promise<string> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of readRecording(file)) chunks.push(chunk);
  return Buffer.concat(chunks).toString();
}

function parse(text: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value !== 'object' || value === null || `${canonicalJson(value)}\n` !== text) return undefined;
    return value as Readonly<Record<string, unknown>>;
  } catch {
    return undefined;
  }
}

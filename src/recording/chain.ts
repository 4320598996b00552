import { hash as digest } from 'node:crypto';

import type { ChainedEvent } from '../core/events.js';
import { canonicalJson, canonicalName, sortedNames } from '../core/canonical-json.js';

/**
 * The hash chain. One event is one line:
 *
 * ```
 * {"at":"…","hash":"…", … ,"prev":"…","seq":1, … ,"type":"statement"}\n
 * ```
 *
 * The whole line is canonical JSON (RFC 8785), so that a line has one spelling only. `hash` is the
 * hex SHA-256 of the same line without its `hash` member; `prev` is the `hash` of the line before,
 * 64 zeros in the first; `seq` counts from 1. A stranger needs a JSON parser and SHA-256 to check it.
 */

export const FIRST_PREV = '0'.repeat(64);

/** Longest line, in bytes without its line end; the recorder refuses to write, the verifier to read, longer ones. */
export const MAX_LINE_BYTES = 32 * 1024 * 1024;

/** Most values in one line: parsing many tiny ones costs far more memory than their text. */
export const MAX_LINE_VALUES = 1_000_000;

/** The last event of a sealed recording. */
export interface SealEvent {
  readonly type: 'seal';
  readonly keyId: string;
  /** Base64 Ed25519 over the 64 ASCII bytes of this event's `prev`, as they stand in the file. */
  readonly signature: string;
}

/** What the chain adds to an event. */
export interface Link {
  readonly seq: number;
  readonly at: string;
  readonly prev: string;
}

export interface ChainedLine {
  /** Without the line end. */
  readonly text: string;
  readonly hash: string;
}

/**
 * The one right line of an event read from a file: equal to the line read when nothing was changed.
 *
 * @throws TypeError when the event has no canonical form
 */
export function rechainEvent(event: ChainedEvent): ChainedLine {
  let head = '';
  let tail = '';
  for (const name of sortedNames(event)) {
    if (name === 'hash') continue;
    const member = `${canonicalName(name)}${canonicalJson(event[name], 1)}`;
    if (name < 'hash') head += `${head === '' ? '{' : ','}${member}`;
    else tail += `,${member}`;
  }
  return spliceHash(head, tail);
}

/** `head` holds `at`, which sorts before `hash`, and `tail` `prev`, which sorts after: both are never empty. */
function spliceHash(head: string, tail: string): ChainedLine {
  const hash = digest('sha256', `${head}${tail}}`, 'hex');
  return { text: `${head},"hash":"${hash}"${tail}}`, hash };
}

/** Is this the shape of a line? Says nothing about its hash. */
export function isChainedEvent(value: unknown): value is ChainedEvent {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false;
  const event = value as Readonly<Record<string, unknown>>;
  return (
    Number.isSafeInteger(event['seq']) &&
    typeof event['at'] === 'string' &&
    typeof event['type'] === 'string' &&
    isHash(event['prev']) &&
    isHash(event['hash'])
  );
}

function isHash(value: unknown): value is string {
  return typeof value === 'string' && /^[0-9a-f]{64}$/.test(value);
}

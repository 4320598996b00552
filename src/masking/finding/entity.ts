/** What one kind of personal data or secret has to tell the engine; every file in `entities/` makes some. */

/** Where a detector writes what it found; reused, so that looking costs no allocation. */
export interface Span {
  from: number;
  /** Exclusive. */
  to: number;
  /** Triggers of this detector below this offset are passed over: they were looked at already. Keeps long hostile values linear. */
  skipTo: number;
  /** Where the value is not over at its `end`: could what follows change the answer? Then `from` is set, Infinity for nothing to hold. */
  open: boolean;
  /** It is certain that a finding has begun at `from`; where it ends is open. */
  begun: boolean;
  /** How far a kind of several parts has got; its own business. */
  stage: number;
  /** Where `follow` goes on. */
  next: number;
  /** From this offset on `stays` may not answer any more. */
  until: number;
}

/** A span for a new look. */
export function newSpan(): Span {
  return { from: 0, to: 0, skipTo: 0, open: false, begun: false, stage: 0, next: 0, until: Infinity };
}

/** For looks whose span nobody reads. */
export const UNREAD: Span = newSpan();

/** More than this many bytes of a kind without a longest form are not waited for, nor taken for one where no end is in sight. */
export const MAX_OPEN_BYTES = 65_536;

/**
 * A place where an entity might stand in raw wire bytes. Neighbouring bytes may be anything (a length,
 * another cell), so a probe never looks at word boundaries: it may say yes too often, never no too often.
 */
export type Probe = ByteProbe | DigitProbe;

/** Tried at every one of `bytes`. */
export interface ByteProbe {
  readonly kind: 'byte';
  /** Rare bytes, one of which every such entity holds. */
  readonly bytes: readonly number[];
  /** What stands before that byte inside of the entity; `any` where the entity may begin with it. */
  readonly before: readonly number[] | 'any';
  mayStandAt(bytes: Uint8Array, at: number, start: number, end: number): boolean;
}

/** Tried at every digit of a run of digits and signs. */
export interface DigitProbe {
  readonly kind: 'digits';
  /** Least length in bytes from the first digit on, and least digits, of an entity that is one such run. */
  readonly minBytes: number;
  readonly minDigits: number;
  /** Bytes that may stand between its digits. */
  readonly signs: readonly number[];
  mayStandAt(bytes: Uint8Array, at: number, start: number, end: number): boolean;
}

/** How `partial` shows an entity. */
export type PartialShape =
  /** `*****@example.com` */
  | 'domain'
  /** The last four digits or letters, for kinds whose last four people know each other by. */
  | 'last4'
  /** The last four, but never more than a third. */
  | 'third'
  /** The same for a dotted quad, nothing of an IPv6 address: a part of one is one again. */
  | 'quad'
  /** Nothing of it. */
  | 'none';

/** What `hash` makes of an entity; see `pseudonym.ts`. */
export type PseudonymShape = 'email' | 'card' | 'ssn' | 'digits' | 'iban' | 'ip' | 'uuid' | 'token';

/** Text that a kind of secret holds, by which the scanner over whole chunks knows where to look. */
export interface Literal {
  readonly text: readonly number[];
  /** Characters of a token that follow at least, for `key`. */
  readonly least: number;
  /** What has to stand around it. `key`: the beginning of a word and characters of a token. */
  readonly check: 'none' | 'key' | 'jwt' | 'pem';
}

export interface EntityDetector {
  readonly name: string;
  readonly partial: PartialShape;
  readonly pseudonym: PseudonymShape;
  /** Bytes of a value at which `find` is tried; of a run of digits only the first. */
  readonly triggers: readonly number[];
  readonly probes: readonly Probe[];
  /** For kinds that are known by fixed text: one of these stands in every finding. */
  readonly literals?: readonly Literal[];
  /**
   * Is there an entity around the trigger at `at`, inside the value bytes[start,end)? Sets `span`.
   * Reads a bounded number of bytes, or sets `skipTo` past what it read, so that a value costs linear time.
   */
  find(bytes: Uint8Array, at: number, start: number, end: number, span: Span): boolean;
  /** For values that come in parts: the least `from` of a finding whose trigger may still come behind `end`; `end` where there is none. */
  readonly lead?: (bytes: Uint8Array, start: number, end: number) => number;
  /** Is what `find` left open still so when bytes[from,end) have come? A cheap yes; no means: look again. */
  stays?(bytes: Uint8Array, from: number, end: number, stage: number): boolean;
  /**
   * Kinds without a longest form: goes on with a finding that has begun, from `span.next` with `span.stage`.
   * Sets `span.to` as if the value ended at `end`; true where the finding is over.
   */
  follow?(bytes: Uint8Array, start: number, end: number, span: Span): boolean;
  /** A finding may begin with any word, which `LocalWord` follows. */
  readonly word?: true;
  /** Among findings that begin together these are certain first, in this order; see `clusters.ts`. */
  readonly open?: 'token' | 'url';
}

export function byteProbe(
  bytes: readonly number[],
  before: ByteProbe['before'],
  mayStandAt: ByteProbe['mayStandAt'],
): ByteProbe {
  return { kind: 'byte', bytes, before, mayStandAt };
}

/** The bytes of ASCII text. */
export function codes(text: string): number[] {
  return Array.from(text, (char) => char.charCodeAt(0));
}

export const DIGITS: readonly number[] = codes('0123456789');

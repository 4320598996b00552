import type { ChainedEvent } from '../../core/events.js';
import { FIRST_PREV } from '../chain.js';
import type { SignatureChecker } from '../keys.js';
import type { RawLine } from '../reading/lines.js';
import { parseLine } from '../reading/read.js';
import type { ParsedLine } from '../reading/read.js';

/** What was done to a recording or its folder. The words are a public interface (`hoop verify --json`). */
export type BreakKind =
  | 'changed'
  | 'removed'
  | 'added'
  | 'reordered'
  | 'truncated'
  | 'unsealed'
  | 'another-key'
  | 'bad-signature'
  | 'wrong-session'
  | 'misplaced'
  | 'empty'
  | 'linked'
  | 'unlisted'
  | 'missing'
  | 'duplicate'
  | 'checkpoint'
  | 'tombstone'
  | 'unreadable'
  | 'no-recording';

/** The first thing that does not hold. */
export interface Break {
  readonly kind: BreakKind;
  /** Number the event has or should have; 0 where the whole file is meant. */
  readonly seq: number;
  /** Line of the file, from 1; 0 where the whole file is meant. */
  readonly line: number;
  readonly message: string;
}

/** Lines behind the first that does not hold which are looked at to tell what was done. */
const MAX_LOOKS = 1_000_000;

/**
 * Follows the chain of one recording, line by line, in constant memory. The first line that does
 * not hold is kept as the suspect; the lines after it only tell what was done: an event that comes
 * later was reordered, one that never comes was removed.
 */
export class ChainChecker {
  /** Events that held so far. */
  events = 0;
  /** Hash of the last event that held; 64 zeros before the first. */
  head = FIRST_PREV;
  /** Offset behind the last line that held. */
  endOffset = 0;
  sealed = false;
  keyId = '';
  #lines = 0;
  #looks = 0;
  #suspect: Suspect | undefined;
  #broken: Break | undefined;

  /** @param keys without them the seal's signature is not checked */
  constructor(private readonly keys: SignatureChecker | undefined) {}

  /** The event, when it holds; undefined from the first that does not. */
  push(line: RawLine): ChainedEvent | undefined {
    this.#lines += 1;
    if (this.#broken !== undefined) return undefined;
    const parsed = parseLine(line);
    if (this.#suspect !== undefined) {
      this.#looks += 1;
      this.#suspect.look(parsed);
      return undefined;
    }
    if (this.sealed) return this.#fail('added', 'something follows the seal');
    if (!line.ended)
      return this.#fail(
        'truncated',
        'the file ends within an event: cut off, or left so by a crash that no start of the agent has followed yet',
      );
    if (
      parsed === undefined ||
      !parsed.intact ||
      parsed.event.seq !== this.events + 1 ||
      parsed.event.prev !== this.head
    ) {
      this.#suspect = new Suspect(this.#lines, parsed, this.events + 1, this.head);
      return undefined;
    }
    return this.#accept(parsed.event, line);
  }

  /** True: no line that follows changes what was found. */
  get settled(): boolean {
    return this.#broken !== undefined || this.#looks >= MAX_LOOKS;
  }

  /** What was found; undefined while everything held. */
  get found(): Break | undefined {
    return this.#broken ?? this.#suspect?.verdict();
  }

  #accept(event: ChainedEvent, line: RawLine): ChainedEvent | undefined {
    if (event.type === 'seal' && !this.#checkSeal(event)) return undefined;
    if (this.events === 0 && event.type !== 'session.start') {
      return this.#fail('changed', 'the first event is not the start of a session');
    }
    this.events = event.seq;
    this.head = event.hash;
    this.endOffset = line.endOffset;
    return event;
  }

  #checkSeal(event: ChainedEvent): boolean {
    const { keyId, signature } = event;
    if (typeof keyId !== 'string' || typeof signature !== 'string') {
      this.#fail('changed', 'the seal has no key id and signature');
      return false;
    }
    if (this.keys !== undefined && !this.keys.knows(keyId)) {
      this.#fail('another-key', 'the seal is by a key that is not trusted');
      return false;
    }
    if (this.keys !== undefined && !this.keys.holds(keyId, event.prev, signature)) {
      this.#fail('bad-signature', 'the signature of the seal does not fit what it seals');
      return false;
    }
    this.sealed = true;
    this.keyId = keyId;
    return true;
  }

  #fail(kind: BreakKind, message: string): undefined {
    this.#broken = { kind, seq: this.events + 1, line: this.#lines, message };
    return undefined;
  }
}

/** The first line that does not hold, and what the lines after it tell about it. */
class Suspect {
  /** The event that should have stood here came later. */
  #expectedFound = false;
  /** The event that the suspect refers to as the one before it came later. */
  #beforeFound = false;

  constructor(
    private readonly line: number,
    private readonly parsed: ParsedLine | undefined,
    private readonly seq: number,
    private readonly prev: string,
  ) {}

  look(parsed: ParsedLine | undefined): void {
    if (parsed === undefined || !parsed.intact) return;
    const { event } = parsed;
    if (event.seq === this.seq && event.prev === this.prev) this.#expectedFound = true;
    const suspect = this.parsed?.event;
    if (suspect !== undefined && event.hash === suspect.prev && event.seq === suspect.seq - 1) this.#beforeFound = true;
  }

  verdict(): Break {
    const { seq, line } = this;
    if (this.parsed === undefined || !this.parsed.intact) {
      return this.#expectedFound
        ? { kind: 'added', seq, line, message: 'a line was put in before this event' }
        : { kind: 'changed', seq, line, message: 'the event is not what its hash says' };
    }
    const found = this.parsed.event.seq;
    if (found < seq)
      return { kind: 'added', seq: found, line, message: 'an event of this number stands before it already' };
    if (found === seq) {
      return this.#expectedFound
        ? { kind: 'added', seq, line, message: 'another event of this number follows' }
        : { kind: 'changed', seq, line, message: 'the event before it is not the one it was chained to' };
    }
    if (!this.#expectedFound) return { kind: 'removed', seq, line, message: `event ${seq} is gone, ${found} follows` };
    return this.#beforeFound
      ? { kind: 'reordered', seq, line, message: `event ${found} stands where ${seq} belongs` }
      : { kind: 'added', seq, line, message: 'an event was put in before this one' };
  }
}

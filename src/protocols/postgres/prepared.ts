import type { SqlFacts } from '../../policy/types.js';
import { keptBytes } from './kept-bytes.js';
import type { Edit } from './originals/rewrite-text.js';

/** A text that the server may hold under a statement's name. */
export interface Candidate {
  readonly text: string;
  readonly facts: SqlFacts;
  /** Parameter types that the Parse named; 0 where it left one open. */
  readonly types: readonly number[];
  /** Set where the server's text has the values behind pseudonyms. */
  readonly edits?: readonly Edit[] | undefined;
  /** The text is a PREPARE, and what runs is the statement in it. */
  readonly bySql?: true;
}

/** Above this many texts under one name nobody can say what an EXECUTE would run. */
const MAX_CANDIDATES = 16;

/**
 * What the server may hold under each prepared statement's name.
 *
 * A Parse can fail, and in a pipeline the answer comes after the Bind that uses it: until the
 * server has answered, both the old and the new text are possible, and a Bind is judged by all of
 * them. A registry that believed the newest text could be made to judge a harmless one while the
 * server, having refused the second Parse as a duplicate, runs the first.
 *
 * SQL's PREPARE, EXECUTE and DEALLOCATE use the same names.
 */
export class PreparedStatements {
  readonly #byName = new Map<string, Candidate[]>();
  #heldBytes = 0;

  /** About the memory that they take, in bytes. */
  get heldBytes(): number {
    return this.#heldBytes;
  }

  /** A Parse or PREPARE is under way. */
  propose(name: string, candidate: Candidate): void {
    const known = this.#byName.get(name);
    // The unnamed statement is replaced by every Parse, also by one that fails.
    if (known === undefined || name === '') this.#set(name, [candidate]);
    else {
      known.push(candidate);
      this.#heldBytes += keptBytes(candidate.text);
    }
  }

  /** The server has accepted it: it is the only one, besides those proposed later. */
  confirm(name: string, candidate: Candidate): void {
    const known = this.#byName.get(name) ?? [];
    const index = known.indexOf(candidate);
    if (index > 0) this.#set(name, known.slice(index));
  }

  /** SQL's PREPARE of this text has succeeded: the name was free, so it is the only one. */
  confirmText(name: string, text: string): void {
    const known = this.#byName.get(name) ?? [];
    const index = known.findLastIndex((candidate) => candidate.text === text);
    if (index > 0) this.#set(name, known.slice(index));
  }

  /** The server has refused it, or has skipped it. */
  withdraw(name: string, candidate: Candidate): void {
    const rest = (this.#byName.get(name) ?? []).filter((known) => known !== candidate);
    this.#set(name, rest);
  }

  /** The server has closed what it held when `until` were known: later proposals stay. */
  closed(name: string, until: readonly Candidate[]): void {
    const rest = (this.#byName.get(name) ?? []).filter((known) => !until.includes(known));
    this.#set(name, rest);
  }

  closedAll(): void {
    this.#byName.clear();
    this.#heldBytes = 0;
  }

  #set(name: string, candidates: Candidate[]): void {
    this.#heldBytes += costOf(candidates) - costOf(this.#byName.get(name) ?? []);
    if (candidates.length === 0) this.#byName.delete(name);
    else this.#byName.set(name, candidates);
  }

  /** Every text possible; empty for an unknown name; undefined when there are too many to tell. */
  candidates(name: string): readonly Candidate[] | undefined {
    const known = this.#byName.get(name) ?? [];
    return known.length > MAX_CANDIDATES ? undefined : known;
  }
}

function costOf(candidates: readonly Candidate[]): number {
  let bytes = 0;
  for (const { text } of candidates) bytes += keptBytes(text);
  return bytes;
}

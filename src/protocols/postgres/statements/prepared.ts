import type { SqlFacts } from '../../../policy/types.js';
import { keptBytes } from '../wire/kept-bytes.js';
import type { Swap } from '../originals/plan-text.js';
import type { Edit } from '../originals/rewrite-text.js';
import type { ExecutedOriginals } from './run.js';
import { unreadable } from './statement-text.js';

/** A text that the server may hold under a statement's name. */
export interface Candidate {
  readonly text: string;
  readonly facts: SqlFacts;
  /** Parameter types that the Parse named; 0 where it left one open. */
  readonly types: readonly number[];
  /** Set where the server's text has the values behind pseudonyms. */
  readonly edits?: readonly Edit[] | undefined;
  /** Set where the server's text also shows its plan. */
  readonly swaps?: readonly Swap[] | undefined;
  /** The text is a PREPARE, and what runs is the statement in it. */
  readonly bySql?: true;
  /** Set where the server's text is an EXECUTE with values for what that name stands for. */
  readonly originalsFor?: ExecutedOriginals | undefined;
}

/** Above this many texts under one name nobody can say what an EXECUTE would run. */
const MAX_CANDIDATES = 16;

/** No grammar reads it: what it stands for may be of any column and do anything. */
const UNSEEN_TEXT = '(prepared out of sight)';
const UNSEEN: Candidate = { text: UNSEEN_TEXT, facts: unreadable('', 'prepared out of sight'), types: [], bySql: true };

/** How far it is known that the server holds a candidate under its name. */
interface Standing {
  /** What nobody could read and ran before it was sent up. */
  doubts: number;
  /** The server has said that it took it. */
  confirmed: boolean;
  /** It was closed and parsed again in this stretch between two Syncs: what follows there runs only if that succeeded. */
  restatedIn?: number;
}

/**
 * What the server may hold under each prepared statement's name.
 *
 * A Parse can fail, and in a pipeline the answer comes after the Bind that uses it: until the
 * server has answered, both the old and the new text are possible, and a Bind is judged by all of
 * them. A registry that believed the newest text could be made to judge a harmless one while the
 * server, having refused the second Parse as a duplicate, runs the first.
 *
 * SQL's PREPARE, EXECUTE and DEALLOCATE use the same names. So does code that nobody can read: once such code has run,
 * a name may stand for something unseen as well, until a text has been given to it anew.
 */
export class PreparedStatements {
  readonly #byName = new Map<string, Candidate[]>();
  readonly #standing = new WeakMap<Candidate, Standing>();
  #heldBytes = 0;
  #doubts = 0;
  #changes = 0;
  /** Stretches between two Syncs. */
  #stretch = 0;

  /** About the memory that they take, in bytes. */
  get heldBytes(): number {
    return this.#heldBytes;
  }

  /** Code that nobody can read is about to run: it may give any name to another text. */
  doubt(): void {
    this.#doubts += 1;
    this.#changes += 1;
  }

  /** Another number whenever a name may stand for something else than before. */
  get changes(): number {
    return this.#changes;
  }

  /** A Sync is under way: what the server skipped before, it takes up again. */
  synced(): void {
    this.#stretch += 1;
  }

  /** The one text that the client gave a name, where code that nobody could read may have given it another. */
  doubtful(name: string): Candidate | undefined {
    const [only, another] = this.#byName.get(name) ?? [];
    return only === undefined || another !== undefined || only.bySql === true || this.#isCertain(name, only)
      ? undefined
      : only;
  }

  /** The name is closed and given to its text again. */
  restate(name: string, candidate: Candidate): void {
    this.#standing.set(candidate, { doubts: this.#doubts, confirmed: false, restatedIn: this.#stretch });
    this.#set(name, [candidate]);
  }

  /** Does the server surely hold it as it is, or will, before anything that follows runs? */
  isSettled(candidate: Candidate): boolean {
    const standing = this.#standing.get(candidate);
    return standing !== undefined && (standing.confirmed || standing.restatedIn === this.#stretch);
  }

  #isCertain(name: string, candidate: Candidate): boolean {
    // No SQL reaches the unnamed statement.
    if (this.#doubts === 0 || name === '') return true;
    return this.#standing.get(candidate)?.doubts === this.#doubts && this.isSettled(candidate);
  }

  #confirmed(candidate: Candidate | undefined): void {
    const standing = candidate && this.#standing.get(candidate);
    if (standing !== undefined) standing.confirmed = true;
  }

  /** A Parse or PREPARE is under way. */
  propose(name: string, candidate: Candidate): void {
    this.#standing.set(candidate, { doubts: this.#doubts, confirmed: false });
    const known = this.#byName.get(name);
    // The unnamed statement is replaced by every Parse, also by one that fails.
    if (known === undefined || name === '') this.#set(name, [candidate]);
    else {
      this.#changes += 1;
      known.push(candidate);
      this.#heldBytes += keptBytes(candidate.text);
    }
  }

  /** The server has accepted it: it is the only one, besides those proposed later. */
  confirm(name: string, candidate: Candidate): void {
    const known = this.#byName.get(name) ?? [];
    const index = known.indexOf(candidate);
    this.#confirmed(candidate);
    if (index > 0) this.#set(name, known.slice(index));
  }

  /** SQL's PREPARE of this text has succeeded: the name was free, so it is the only one. */
  confirmText(name: string, text: string): void {
    const known = this.#byName.get(name) ?? [];
    const index = known.findLastIndex((candidate) => candidate.text === text);
    this.#confirmed(known[index]);
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
    this.#changes += 1;
    this.#heldBytes = 0;
  }

  #set(name: string, candidates: Candidate[]): void {
    this.#changes += 1;
    this.#heldBytes += costOf(candidates) - costOf(this.#byName.get(name) ?? []);
    if (candidates.length === 0) this.#byName.delete(name);
    else this.#byName.set(name, candidates);
  }

  /** Every text possible; empty for an unknown name; undefined when there are too many to tell. */
  candidates(name: string): readonly Candidate[] | undefined {
    const known = this.#byName.get(name) ?? [];
    if (known.length > MAX_CANDIDATES) return undefined;
    return known.every((candidate) => this.#isCertain(name, candidate)) ? known : [...known, UNSEEN];
  }
}

function costOf(candidates: readonly Candidate[]): number {
  let bytes = 0;
  for (const { text } of candidates) bytes += keptBytes(text);
  return bytes;
}

import type { ErrorFields } from '../wire/messages.js';
import type { Edit } from '../originals/rewrite-text.js';
import type { Candidate } from '../statements/prepared.js';
import type { Portal, Run } from '../statements/run.js';

/** One message under way to the server, and what its answer means. */
export type Expected =
  | { readonly kind: 'query' | 'function'; readonly run: Run; readonly refused?: ErrorFields }
  | {
      readonly kind: 'parse';
      readonly name: string;
      readonly candidate: Candidate | undefined;
      readonly refused?: ErrorFields;
      /** We asked for it: the answer stays here. */
      readonly injected?: true;
    }
  | { readonly kind: 'bind'; readonly name: string; readonly portal: Portal | undefined }
  | { readonly kind: 'describe'; readonly portal: Portal | undefined; readonly injected: boolean }
  | { readonly kind: 'execute'; readonly portal: Portal }
  | {
      readonly kind: 'close';
      readonly statement: string | undefined;
      readonly held: readonly Candidate[];
      readonly injected?: true;
    }
  | { readonly kind: 'copy-end' }
  | { readonly kind: 'sync' };

const EXPECTED_BYTES = 256;

/**
 * The messages whose answers have not come yet, oldest first: the server answers in order, so the
 * front tells what each answer belongs to. After an error in the extended protocol the server
 * skips everything up to the next Sync; so does this.
 *
 * @see https://www.postgresql.org/docs/current/protocol-flow.html#PROTOCOL-FLOW-EXT-QUERY
 */
export class ExpectedReplies {
  readonly #queue: Expected[] = [];
  #head = 0;
  #failures = 0;
  /** Statements under way that may read rows from the client. */
  readonly #copies = new Set<Expected>();

  get length(): number {
    return this.#queue.length - this.#head;
  }

  /** About the memory that they take, in bytes; their texts are on the way, or count as prepared. */
  get heldBytes(): number {
    return this.length * EXPECTED_BYTES;
  }

  /** Errors that the server has reported. */
  get failures(): number {
    return this.#failures;
  }

  /** May the server come to read the rows of a COPY, or read them now? */
  get mayCopy(): boolean {
    return this.#copies.size > 0;
  }

  /**
   * The end of the COPY that the server reads now has been sent. What an Execute runs is over with that, though the server
   * keeps its answer to itself until a Sync; a simple query may go on to another COPY.
   */
  copyEnds(): void {
    const front = this.front();
    if (front?.kind === 'execute') this.#copies.delete(front);
  }

  /**
   * Is the answer to its Bind still to come, and a Sync under way behind it? Should the Bind fail, the server runs what
   * follows all the same, by what else stands under the portal's name.
   */
  mayFailApart(portal: Portal): boolean {
    if (portal.opened === true) return false;
    for (let index = this.#queue.length - 1; index >= this.#head; index -= 1) {
      const item = this.#queue[index];
      if (item?.kind === 'sync') return true;
      if (item?.kind === 'bind' && item.portal === portal) return false;
    }
    return false;
  }

  /** Is that statement under way? */
  awaits(run: Run): boolean {
    for (let index = this.#head; index < this.#queue.length; index += 1) {
      const item = this.#queue[index];
      if (item?.kind !== 'bind' && runOf(item) === run) return true;
    }
    return false;
  }

  push(expected: Expected): void {
    // The end of a COPY that is over has no answer.
    if (expected.kind === 'copy-end' && this.length === 0) return;
    if (expected.kind !== 'bind' && runOf(expected)?.facts.effects.includes('copy-in') === true)
      this.#copies.add(expected);
    this.#queue.push(expected);
  }

  front(): Expected | undefined {
    return this.#queue[this.#head];
  }

  shift(): Expected | undefined {
    const item = this.#queue[this.#head];
    if (item === undefined) return undefined;
    if (this.#copies.size > 0) this.#copies.delete(item);
    do this.#head += 1;
    while (this.#queue[this.#head]?.kind === 'copy-end');
    if (this.#head === this.#queue.length) {
      this.#queue.length = 0;
      this.#head = 0;
    } else if (this.#head > 256) {
      this.#queue.splice(0, this.#head);
      this.#head = 0;
    }
    return item;
  }

  /**
   * The server has reported an error: drops what it skips.
   *
   * @param dropped told each one, so that what it proposed is withdrawn
   * @returns whether a Sync is under way; if not, the client's messages are skipped until it sends one
   */
  failed(dropped: (item: Expected) => void): boolean {
    this.#failures += 1;
    const kind = this.front()?.kind;
    if (kind === undefined || kind === 'query' || kind === 'function' || kind === 'sync') return true;
    for (;;) {
      const next = this.front();
      // A simple query in the midst is skipped too: the server reads on to the Sync.
      if (next === undefined) return false;
      if (next.kind === 'sync') return true;
      dropped(next);
      this.shift();
    }
  }

  /** The server begins to read rows. @returns whether their end has been sent already */
  copyEnded(): boolean {
    const ended = this.#swallowSyncsOfCopy();
    if (ended) this.copyEnds();
    return ended;
  }

  /** Has a CopyDone or CopyFail been sent for the COPY that runs? Syncs before it are swallowed by the server. */
  #swallowSyncsOfCopy(): boolean {
    for (let index = this.#head + 1; index < this.#queue.length;) {
      const kind = this.#queue[index]?.kind;
      if (kind === 'copy-end') return true;
      if (kind === 'sync') this.#queue.splice(index, 1);
      else index += 1;
    }
    return false;
  }

  /** Will the server become ready without another message of the client? */
  get settles(): boolean {
    for (let index = this.#head; index < this.#queue.length; index += 1) {
      const kind = this.#queue[index]?.kind;
      if (kind === 'sync' || kind === 'query' || kind === 'function') return true;
    }
    return false;
  }
}

/** The statement that an awaited answer belongs to. */
export function runOf(front: Expected | undefined): Run | undefined {
  if (front?.kind === 'query' || front?.kind === 'function') return front.run;
  if (front?.kind === 'execute' || front?.kind === 'bind') return front.portal?.run;
  return undefined;
}

/** Where the text that an awaited answer speaks of differs from the client's; undefined where it does not. */
export function editsOf(front: Expected | undefined): readonly Edit[] | undefined {
  return front?.kind === 'parse' ? front.candidate?.edits : runOf(front)?.edits;
}

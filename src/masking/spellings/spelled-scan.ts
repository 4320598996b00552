import type { Finding } from '../finding/clusters.js';
import { Respelled, writtenFinding } from './respelled.js';
import type { StreamPlan } from '../streams/stream-plan.js';
import { REACH_BYTES, StreamScan } from '../streams/stream-scan.js';

/**
 * Looks over a text in parts as readers take it: what is written in another way is read as what it is. It only adds
 * findings to those of the text as it is written. Offsets are those in the whole text as it is written.
 */
export class SpelledScan {
  readonly #scan: StreamScan;
  readonly #text: Respelled;
  /** A beginning of which bytes to come decide what it is. */
  #left: Uint8Array = new Uint8Array();

  /** @param from where the first part begins in the whole text */
  constructor(plan: StreamPlan, from: number) {
    this.#scan = new StreamScan(plan);
    this.#text = new Respelled(from);
  }

  /** Nothing before it, that is not settled, may belong to a finding. */
  get hold(): number {
    return this.#text.startOf(this.#scan.hold);
  }

  /** What comes now is found without it, as long as it is written as it is read. */
  get idle(): boolean {
    return this.#left.length === 0 && this.#scan.idle && this.#text.taken - this.#text.spelledTo > REACH_BYTES;
  }

  /** @param over nothing more comes */
  look(part: Uint8Array, over: boolean): void {
    const bytes = this.#left.length === 0 ? part : joined(this.#left, part);
    const before = this.#text.end;
    const left = this.#text.take(bytes, 0, bytes.length, over);
    this.#left = bytes.slice(bytes.length - left);
    this.#scan.append(this.#text.bytes.subarray(before, this.#text.end));
    this.#scan.look(over);
  }

  /** Takes what was found since. */
  takeFound(into: Finding[]): void {
    for (const one of this.#scan.found) into.push(writtenFinding(one, this.#text));
    this.#scan.found = [];
  }

  /** Findings that have begun and whose end is open. */
  begun(into: Finding[]): void {
    const open: Finding[] = [];
    this.#scan.begun(open);
    for (const one of open) into.push(writtenFinding(one, this.#text));
  }

  /** Forgets what is written before `kept`. */
  forget(kept: number): void {
    const by = this.#scan.forget(this.#text.offsetOf(kept));
    if (by > 0) this.#text.drop(by);
  }
}

function joined(first: Uint8Array, second: Uint8Array): Uint8Array {
  const both = new Uint8Array(first.length + second.length);
  both.set(first);
  both.set(second, first.length);
  return both;
}

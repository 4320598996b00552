import { isDigit } from '../finding/byte-classes.js';
import type { Finding } from '../finding/clusters.js';
import { FinderScan } from '../finding/finder-scan.js';
import { newSpan } from '../finding/entity.js';
import type { EntityDetector, Span } from '../finding/entity.js';
import { LocalWord } from '../finding/local-word.js';
import type { StreamPlan } from './stream-plan.js';
import { LANE } from '../finding/trigger-tables.js';

/** How far detectors look back from where a finding may begin; longer reaches are held or followed. */
const CONTEXT_BYTES = 128;
/** Longer than any finding whose kind has a longest form: a number with four signs between all its digits. */
export const REACH_BYTES = 768;
const FIRST_BUFFER_BYTES = 512;

/** Waiting at a trigger, or following a finding that has begun. */
interface Busy {
  readonly detector: number;
  readonly at: number;
  readonly from: number;
  readonly to: number;
  readonly begun: boolean;
  readonly stage: number;
  readonly next: number;
  readonly until: number;
}

/**
 * Looks over one text that comes in parts, as `FindingScan` does over a whole one: the same findings, each as soon as
 * no byte to come can change it. Every byte is read a bounded number of times, however small the parts.
 *
 * Offsets are those of `bytes`, which begins a little before what is still of interest.
 */
export class StreamScan {
  bytes = new Uint8Array(FIRST_BUFFER_BYTES);
  end = 0;
  /** Settled, in no order; the reader takes them out. */
  found: Finding[] = [];
  /** Bytes from here on may belong to a finding that is not settled. */
  hold = 0;
  /** Nothing in what came last is written in another way, but perhaps its end. */
  plain = false;
  readonly #plan: StreamPlan;
  readonly #span: Span = newSpan();
  readonly #busy: (Busy | undefined)[];
  readonly #skips: number[];
  readonly #word: LocalWord | undefined;
  readonly #finders: readonly FinderScan[];
  /** Triggers before it were tried. */
  #scanned = 0;
  #busyCount = 0;

  constructor(plan: StreamPlan) {
    this.#plan = plan;
    this.#busy = plan.detectors.map(() => undefined);
    this.#skips = plan.detectors.map(() => 0);
    this.#word = plan.detectors.some(({ word }) => word === true) ? new LocalWord() : undefined;
    this.#finders = plan.finders.map(({ finder, target }) => new FinderScan(finder, target));
  }

  /** Nothing that came can be part of a finding any more. */
  get idle(): boolean {
    return this.#busyCount === 0 && this.hold === this.end && this.#finders.every(({ rest }) => rest === undefined);
  }

  append(part: Uint8Array): void {
    if (this.end + part.length > this.bytes.length) {
      const grown = new Uint8Array(Math.max(this.bytes.length * 2, this.end + part.length));
      grown.set(this.bytes.subarray(0, this.end));
      this.bytes = grown;
    }
    this.bytes.set(part, this.end);
    this.end += part.length;
  }

  /** Looks at what was appended. @param over nothing more comes */
  look(over: boolean): void {
    const from = this.#scanned;
    if (this.#busyCount > 0) this.#goOn(from, over);
    this.plain = false;
    if (this.#busyCount === 0 && this.end - from > REACH_BYTES) this.#leap();
    for (let lane = 0; lane < this.#plan.tables.length; lane += 1) this.#detect(lane, over);
    this.#scanned = this.end;
    this.hold = over ? this.end : this.#leads();
    for (const finder of this.#finders) {
      finder.look(this.bytes, this.end, over, this.found);
      this.hold = Math.min(this.hold, finder.hold);
    }
  }

  /** Findings that have begun and whose end is open, as far as they go now. */
  begun(into: Finding[]): void {
    for (const busy of this.#busy)
      if (busy?.begun === true) into.push({ from: busy.from, to: busy.to, target: this.#targetOf(busy), open: true });
    for (const finder of this.#finders) if (finder.rest !== undefined) into.push(finder.rest);
  }

  /** Forgets what is before `kept`, but for what detectors look back at. @returns by how much offsets shrink */
  forget(kept: number): number {
    let first = kept;
    if (this.#busyCount > 0)
      for (const busy of this.#busy) if (busy !== undefined) first = Math.min(first, busy.begun ? busy.next : busy.at);
    for (const finder of this.#finders) first = Math.min(first, finder.hold);
    first -= CONTEXT_BYTES;
    // Moving bytes is worth it where it frees most of the buffer.
    if (first < this.bytes.length >> 1) return 0;
    this.bytes.copyWithin(0, first, this.end);
    this.#shift(first);
    if (this.bytes.length > 4 * FIRST_BUFFER_BYTES && this.end < this.bytes.length >> 3)
      this.bytes = this.bytes.slice(0, this.bytes.length >> 1);
    return first;
  }

  #shift(by: number): void {
    this.end -= by;
    this.#scanned -= by;
    this.hold -= by;
    this.#word?.shift(by);
    this.found = this.found.map((one) => ({ ...one, from: one.from - by, to: one.to - by }));
    for (const finder of this.#finders) finder.shift(by);
    for (let index = 0; index < this.#skips.length; index += 1) {
      this.#skips[index] = (this.#skips[index] as number) - by;
      const busy = this.#busy[index];
      if (busy !== undefined)
        this.#busy[index] = {
          ...busy,
          at: busy.at - by,
          from: busy.from - by,
          to: busy.to - by,
          next: busy.next - by,
          until: busy.until - by,
        };
    }
  }

  /** Nothing stands in the whole stretch: only what may go on behind it is left to be looked at. */
  #leap(): void {
    let from = this.end - REACH_BYTES;
    // White space ends everything that may be longer.
    while (from > this.#scanned && (this.bytes[from - 1] as number) > 0x20) from -= 1;
    if (from - this.#scanned <= REACH_BYTES) return;
    const { prefilter, spelledPrefilter } = this.#plan;
    this.plain = !spelledPrefilter.mayMatch(this.bytes, 0, this.end);
    if (this.plain || !prefilter.mayMatch(this.bytes, 0, this.end)) this.#scanned = from;
  }

  #detect(lane: number, over: boolean): void {
    const table = this.#plan.tables[lane] as Uint32Array;
    const { bytes, end } = this;
    let at = this.#scanned;
    let inDigits = at > 0 && isDigit(bytes[at - 1] as number);
    for (; at < end; at += 1) {
      const byte = bytes[at] as number;
      const mask = table[byte] as number;
      const digit = byte >= 0x30 && byte <= 0x39;
      // Of a run of digits only the first is a trigger.
      if (mask !== 0 && !(digit && inDigits)) {
        for (let rest = mask; rest !== 0; rest &= rest - 1) {
          const index = lane * LANE + 31 - Math.clz32(rest & -rest);
          if (this.#busy[index] === undefined) this.#try(index, at, over);
        }
      }
      inDigits = digit;
    }
  }

  #try(index: number, at: number, over: boolean): void {
    if (at < (this.#skips[index] as number)) return;
    const span = this.#span;
    span.skipTo = 0;
    span.open = false;
    span.begun = false;
    span.stage = 0;
    span.until = Infinity;
    const met = this.#detectorOf(index).find(this.bytes, at, 0, this.end, span);
    if (span.open && !over) {
      this.#wait(index, at);
      return;
    }
    if (span.skipTo > at) this.#skips[index] = span.skipTo;
    if (met) this.#add(index, span.from, span.to);
  }

  #wait(index: number, at: number): void {
    const { from, to, begun, stage, next, until } = this.#span;
    if (this.#busy[index] === undefined) this.#busyCount += 1;
    this.#busy[index] = { detector: index, at, from, to, begun, stage, next, until };
  }

  /** Looks again at what waits, now that bytes[before,end) have come. */
  #goOn(before: number, over: boolean): void {
    for (let index = 0; index < this.#busy.length; index += 1) {
      const busy = this.#busy[index];
      if (busy === undefined) continue;
      const resume = busy.begun ? this.#follow(busy, over) : this.#retry(busy, before, over);
      if (resume >= 0) this.#catchUp(index, resume, before, over);
    }
  }

  /** @returns where this detector's triggers are to be tried again; -1 where it still waits */
  #follow(busy: Busy, over: boolean): number {
    const span = this.#span;
    Object.assign(span, busy, { skipTo: 0 });
    const ended = this.#detectorOf(busy.detector).follow?.(this.bytes, 0, this.end, span) !== false;
    if (!ended && !over) {
      this.#wait(busy.detector, busy.at);
      return -1;
    }
    this.#free(busy.detector);
    this.#add(busy.detector, span.from, span.to);
    this.#skips[busy.detector] = span.skipTo;
    return span.skipTo;
  }

  #retry(busy: Busy, before: number, over: boolean): number {
    const detector = this.#detectorOf(busy.detector);
    const waits = !over && this.end < busy.until;
    if (waits && detector.stays?.(this.bytes, before, this.end, busy.stage) === true) return -1;
    this.#free(busy.detector);
    this.#try(busy.detector, busy.at, over);
    return this.#busy[busy.detector] === undefined ? busy.at + 1 : -1;
  }

  #free(index: number): void {
    this.#busy[index] = undefined;
    this.#busyCount -= 1;
  }

  /** Tries the triggers in bytes[from,to) that one detector has passed over while it waited. */
  #catchUp(index: number, from: number, to: number, over: boolean): void {
    const table = this.#plan.tables[Math.floor(index / LANE)] as Uint32Array;
    const bit = 1 << (index % LANE);
    for (let at = Math.max(from, this.#skips[index] as number); at < to; at += 1) {
      const byte = this.bytes[at] as number;
      if (((table[byte] as number) & bit) === 0) continue;
      if (isDigit(byte) && at > 0 && isDigit(this.bytes[at - 1] as number)) continue;
      this.#try(index, at, over);
      if (this.#busy[index] !== undefined) return;
    }
  }

  #leads(): number {
    const { bytes, end } = this;
    let hold = end;
    for (let index = 0; index < this.#plan.leads.length; index += 1) {
      const lead = this.#plan.leads[index]?.(bytes, 0, end) ?? end;
      if (lead < hold) hold = lead;
    }
    if (this.#word !== undefined) hold = Math.min(hold, this.#word.readTo(bytes, end));
    if (this.#busyCount > 0) {
      for (const busy of this.#busy) if (busy !== undefined) hold = Math.min(hold, busy.begun ? busy.to : busy.from);
    }
    return hold;
  }

  #add(index: number, from: number, to: number): void {
    this.found.push({ from, to, target: this.#plan.detectorTargets[index] as number });
  }

  #targetOf(busy: Busy): number {
    return this.#plan.detectorTargets[busy.detector] as number;
  }

  #detectorOf(index: number): EntityDetector {
    return this.#plan.detectors[index] as EntityDetector;
  }
}

import { BUILT_IN_ENTITIES } from './entities/built-in.js';
import type { CustomFinder } from './entities/custom.js';
import type { EntityDetector, Span } from './entity.js';

/** One entity that is asked for: a built-in kind, or one of a resource file. */
export type Target = { readonly detector: EntityDetector } | { readonly finder: CustomFinder };

/** Findings of one value that touch or overlap, as one span; `target` is the finding that decides. */
export interface Cluster {
  from: number;
  /** Exclusive. */
  to: number;
  target: number;
  /** The deciding finding itself. */
  targetFrom: number;
  targetTo: number;
}

/** Room for findings that is kept from value to value. */
const MAX_KEPT = 1_024;

/**
 * Looks a whole value over for every entity asked for, in one pass.
 *
 * Holds its findings in arrays that are used again: a value without findings costs no allocation.
 */
export class FindingScan {
  readonly #table = new Uint32Array(256);
  readonly #detectors: EntityDetector[] = [];
  readonly #detectorTargets: number[] = [];
  readonly #finders: { readonly finder: CustomFinder; readonly target: number }[] = [];
  readonly #skips: number[] = [];
  readonly #span: Span = { from: 0, to: 0, skipTo: 0 };
  readonly #from: number[] = [];
  readonly #to: number[] = [];
  readonly #target: number[] = [];
  readonly #ranks: readonly number[];
  /** Findings of the value at hand, in the three arrays above. */
  #count = 0;

  /**
   * @param targets at most one for each entity
   * @param ranks how strong each target's mask is; of findings that overlap, the lowest rank decides
   */
  constructor(targets: readonly Target[], ranks: readonly number[]) {
    this.#ranks = ranks;
    targets.forEach((target, index) => {
      if ('finder' in target) {
        this.#finders.push({ finder: target.finder, target: index });
        return;
      }
      const bit = 1 << this.#detectors.length;
      this.#detectors.push(target.detector);
      this.#detectorTargets.push(index);
      this.#skips.push(0);
      for (const byte of target.detector.triggers) this.#table[byte] = ((this.#table[byte] as number) | bit) >>> 0;
    });
  }

  /** Findings in bytes[start,end) in order, overlapping ones joined; undefined where there are none. */
  scan(bytes: Uint8Array, start: number, end: number): Cluster[] | undefined {
    this.#count = 0;
    for (let index = 0; index < this.#skips.length; index += 1) this.#skips[index] = start;
    if (this.#detectors.length > 0) this.#detect(bytes, start, end);
    for (const { finder, target } of this.#finders)
      finder.findAll(bytes, start, end, (from, to) => this.#add(from, to, target));
    if (this.#count === 0) return undefined;
    const clusters = this.#count === 1 ? [this.#clusterOf(0)] : this.#clusters();
    // One value full of findings must not hold memory for good.
    if (this.#from.length > MAX_KEPT) this.#from.length = this.#to.length = this.#target.length = 0;
    return clusters;
  }

  #detect(bytes: Uint8Array, start: number, end: number): void {
    const table = this.#table;
    let inDigits = false;
    for (let at = start; at < end; at += 1) {
      const byte = bytes[at] as number;
      const mask = table[byte] as number;
      const digit = byte >= 0x30 && byte <= 0x39;
      // Of a run of digits only the first is a trigger.
      if (mask !== 0 && !(digit && inDigits)) this.#try(mask, bytes, at, start, end);
      inDigits = digit;
    }
  }

  #try(mask: number, bytes: Uint8Array, at: number, start: number, end: number): void {
    const span = this.#span;
    for (let rest = mask; rest !== 0; rest &= rest - 1) {
      const index = 31 - Math.clz32(rest & -rest);
      if (at < (this.#skips[index] as number)) continue;
      span.skipTo = 0;
      const met = (this.#detectors[index] as EntityDetector).find(bytes, at, start, end, span);
      if (span.skipTo > at) this.#skips[index] = span.skipTo;
      if (met) this.#add(span.from, span.to, this.#detectorTargets[index] as number);
    }
  }

  #add(from: number, to: number, target: number): void {
    this.#from[this.#count] = from;
    this.#to[this.#count] = to;
    this.#target[this.#count] = target;
    this.#count += 1;
  }

  #clusterOf(index: number): Cluster {
    const from = this.#from[index] as number;
    const to = this.#to[index] as number;
    return { from, to, target: this.#target[index] as number, targetFrom: from, targetTo: to };
  }

  #clusters(): Cluster[] {
    const froms = this.#from;
    const tos = this.#to;
    const order = Array.from({ length: this.#count }, (_, index) => index);

    order.sort(
      (a, b) => (froms[a] as number) - (froms[b] as number) || (tos[b] as number) - (tos[a] as number) || a - b,
    );
    const clusters: Cluster[] = [];
    let last: Cluster | undefined;
    for (const index of order) {
      const next = this.#clusterOf(index);
      if (last === undefined || next.from >= last.to) {
        last = next;
        clusters.push(last);
        continue;
      }
      last.to = Math.max(last.to, next.to);
      if (!this.#decides(next, last)) continue;
      last.target = next.target;
      last.targetFrom = next.targetFrom;
      last.targetTo = next.targetTo;
    }
    return clusters;
  }

  /** The strongest mask decides, then the longest finding, then the earliest, then the order of the targets. */
  #decides(next: Cluster, current: Cluster): boolean {
    const rank = (this.#ranks[next.target] as number) - (this.#ranks[current.target] as number);
    if (rank !== 0) return rank < 0;
    const longer = next.targetTo - next.targetFrom - (current.targetTo - current.targetFrom);
    if (longer !== 0) return longer > 0;
    return next.targetFrom === current.targetFrom && next.target < current.target;
  }
}

/** The built-in kind of a name, or undefined. */
export function builtInEntity(name: string): EntityDetector | undefined {
  return BUILT_IN_ENTITIES.find((entity) => entity.name === name);
}

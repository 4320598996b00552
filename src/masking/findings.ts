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
    this.#from.length = 0;
    this.#to.length = 0;
    this.#target.length = 0;
    this.#skips.fill(start);
    if (this.#detectors.length > 0) this.#detect(bytes, start, end);
    for (const { finder, target } of this.#finders)
      finder.findAll(bytes, start, end, (from, to) => this.#add(from, to, target));
    return this.#from.length === 0 ? undefined : this.#clusters();
  }

  #detect(bytes: Uint8Array, start: number, end: number): void {
    const table = this.#table;
    for (let at = start; at < end; at += 1) {
      const mask = table[bytes[at] as number] as number;
      if (mask !== 0) this.#try(mask, bytes, at, start, end);
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
    this.#from.push(from);
    this.#to.push(to);
    this.#target.push(target);
  }

  #clusters(): Cluster[] {
    const [froms, tos, targets] = [this.#from, this.#to, this.#target];
    const order = froms.map((_, index) => index);
    if (order.length > 1)
      order.sort(
        (a, b) => (froms[a] as number) - (froms[b] as number) || (tos[b] as number) - (tos[a] as number) || a - b,
      );
    const clusters: Cluster[] = [];
    let last: Cluster | undefined;
    for (const index of order) {
      const from = froms[index] as number;
      const to = tos[index] as number;
      const target = targets[index] as number;
      if (last === undefined || from >= last.to) {
        last = { from, to, target, targetFrom: from, targetTo: to };
        clusters.push(last);
        continue;
      }
      last.to = Math.max(last.to, to);
      if (this.#decides(target, to - from, last)) Object.assign(last, { target, targetFrom: from, targetTo: to });
    }
    return clusters;
  }

  /** The strongest mask decides, then the longest finding, then the earliest, then the order of the targets. */
  #decides(target: number, length: number, current: Cluster): boolean {
    const rank = (this.#ranks[target] as number) - (this.#ranks[current.target] as number);
    if (rank !== 0) return rank < 0;
    const longer = length - (current.targetTo - current.targetFrom);
    return (
      longer > 0 ||
      (longer === 0 &&
        current.targetFrom === current.from &&
        current.targetTo - current.targetFrom === length &&
        target < current.target)
    );
  }
}

/** The built-in kind of a name, or undefined. */
export function builtInEntity(name: string): EntityDetector | undefined {
  return BUILT_IN_ENTITIES.find((entity) => entity.name === name);
}

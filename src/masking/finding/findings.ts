import { BUILT_IN_ENTITIES } from '../entities/built-in.js';
import type { CustomFinder } from '../entities/custom.js';
import { ClusterRule } from './clusters.js';
import type { Cluster, Finding, TargetTraits } from './clusters.js';
import { newSpan } from './entity.js';
import type { EntityDetector, Span } from './entity.js';
import { Respelled, writtenFinding } from '../spellings/respelled.js';
import { nextSpelling } from '../spellings/spellings.js';
import { LANE, triggerTables } from './trigger-tables.js';

/** One entity that is asked for: a built-in kind, or one of a resource file. */
export type Target = { readonly detector: EntityDetector } | { readonly finder: CustomFinder };

/**
 * Looks a whole value over for every entity asked for, in one pass.
 *
 * A value without findings costs no allocation.
 */
export class FindingScan {
  readonly #tables: readonly Uint32Array[];
  readonly #detectors: EntityDetector[] = [];
  readonly #detectorTargets: number[] = [];
  readonly #finders: { readonly finder: CustomFinder; readonly target: number }[] = [];
  readonly #skips: number[] = [];
  readonly #span: Span = newSpan();
  readonly #rule: ClusterRule;
  /** Findings of the value at hand. */
  #found: Finding[] = [];

  /**
   * @param targets at most one for each entity
   * @param traits of each target
   */
  constructor(targets: readonly Target[], traits: readonly TargetTraits[]) {
    this.#rule = new ClusterRule(traits);
    targets.forEach((target, index) => {
      if ('finder' in target) {
        this.#finders.push({ finder: target.finder, target: index });
        return;
      }
      this.#detectors.push(target.detector);
      this.#detectorTargets.push(index);
      this.#skips.push(0);
    });
    this.#tables = triggerTables(this.#detectors);
  }

  /** Findings in bytes[start,end) in order, overlapping ones joined; undefined where there are none. */
  scan(bytes: Uint8Array, start: number, end: number): Cluster[] | undefined {
    const found = this.#findings(bytes, start, end);
    return found.length === 0 ? undefined : this.#rule.join(found);
  }

  /** The same, also of what stands there in other ways of writing, which readers take for the same. */
  scanSpelled(bytes: Uint8Array, start: number, end: number): Cluster[] | undefined {
    if (nextSpelling(bytes, start, end, true) === end) return this.scan(bytes, start, end);
    // A copy: the next look may write to the list.
    const found = [...this.#findings(bytes, start, end)];
    const text = new Respelled(start);
    text.take(bytes, start, end, true);
    for (const one of this.#findings(text.bytes, 0, text.end)) found.push(writtenFinding(one, text));
    return found.length === 0 ? undefined : this.#rule.join(found);
  }

  #findings(bytes: Uint8Array, start: number, end: number): Finding[] {
    for (let index = 0; index < this.#skips.length; index += 1) this.#skips[index] = start;
    for (let lane = 0; lane < this.#tables.length; lane += 1) this.#detect(lane, bytes, start, end);
    for (const { finder, target } of this.#finders)
      finder.findAll(bytes, start, end, (from, to) => this.#found.push({ from, to, target }));
    const found = this.#found;
    if (found.length > 0) this.#found = [];
    return found;
  }

  #detect(lane: number, bytes: Uint8Array, start: number, end: number): void {
    const table = this.#tables[lane] as Uint32Array;
    const first = lane * LANE;
    let inDigits = false;
    for (let at = start; at < end; at += 1) {
      const byte = bytes[at] as number;
      const mask = table[byte] as number;
      const digit = byte >= 0x30 && byte <= 0x39;
      // Of a run of digits only the first is a trigger.
      if (mask !== 0 && !(digit && inDigits)) this.#try(first, mask, bytes, at, start, end);
      inDigits = digit;
    }
  }

  #try(first: number, mask: number, bytes: Uint8Array, at: number, start: number, end: number): void {
    const span = this.#span;
    for (let rest = mask; rest !== 0; rest &= rest - 1) {
      const index = first + 31 - Math.clz32(rest & -rest);
      if (at < (this.#skips[index] as number)) continue;
      span.skipTo = 0;
      span.open = false;
      const met = (this.#detectors[index] as EntityDetector).find(bytes, at, start, end, span);
      if (span.skipTo > at) this.#skips[index] = span.skipTo;
      if (met) this.#found.push({ from: span.from, to: span.to, target: this.#detectorTargets[index] as number });
    }
  }
}

/** The built-in kind of a name, or undefined. */
export function builtInEntity(name: string): EntityDetector | undefined {
  return BUILT_IN_ENTITIES.find((entity) => entity.name === name);
}

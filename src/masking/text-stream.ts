import type { MaskCounts } from '../core/mask.js';
import { MAX_SHOWN_BYTES } from './clusters.js';
import type { Cluster, Finding } from './clusters.js';
import type { Mask } from './mask-set.js';
import { replacementOf } from './replacement.js';
import type { StreamPlan } from './stream-plan.js';
import { StreamScan } from './stream-scan.js';

/** Where a text stream writes to. */
export interface StreamSink {
  /** Bytes of the text that stay as they are; `at` is the offset of bytes[from] in the whole text. They are copied or lost. */
  kept(bytes: Uint8Array, from: number, to: number, at: number): void;
  /** What stands in the place of a finding. */
  masked(bytes: Uint8Array): void;
}

/** One text in parts: masks what is found as soon as nothing to come can change it. */
export class TextStream {
  readonly #plan: StreamPlan;
  readonly #counts: MaskCounts;
  readonly #sink: StreamSink;
  readonly #scan: StreamScan;
  /** Everything before went out, or is masked. */
  #out = 0;
  /** The last cluster that went out ends here; what overlaps it is part of it. */
  #coveredTo = 0;
  /** Offset in the whole text of the scan's first byte. */
  #base = 0;

  constructor(plan: StreamPlan, counts: MaskCounts, sink: StreamSink) {
    this.#plan = plan;
    this.#counts = counts;
    this.#sink = sink;
    this.#scan = new StreamScan(plan);
  }

  push(part: Uint8Array): void {
    this.#scan.append(part);
    this.#advance(false);
  }

  end(): void {
    this.#advance(true);
  }

  #advance(over: boolean): void {
    const scan = this.#scan;
    scan.look(over);
    const findings = scan.found;
    scan.begun(findings);
    if (findings.length > 0) this.#release(findings, over);
    else this.#keep(scan.hold);
    const by = scan.forget(this.#out);
    this.#base += by;
    this.#out -= by;
    this.#coveredTo -= by;
  }

  #release(findings: Finding[], over: boolean): void {
    const { hold } = this.#scan;
    const clusters = this.#plan.rule.join(findings);
    let held = false;
    for (const cluster of clusters) {
      if (cluster.from < this.#coveredTo) this.#cover(cluster.to);
      else {
        this.#keep(Math.min(hold, cluster.from));
        held = cluster.from > hold || !this.#mask(cluster, over);
        if (held) break;
      }
    }
    if (!held) this.#keep(hold);
    this.#scan.found = findings.filter((one) => one.open !== true && one.to > this.#out);
  }

  /** Writes what stands for a cluster; false where it has to wait. */
  #mask(cluster: Cluster, over: boolean): boolean {
    const { hold } = this.#scan;
    const settled = over || (!cluster.open && cluster.to <= hold);
    const { eager, order } = this.#plan.rule.traits[cluster.target] as { eager: boolean; order: number };
    const long = cluster.to - cluster.from > MAX_SHOWN_BYTES && (hold > cluster.from || order < 2);
    if (!settled && !(cluster.plain && (eager || long))) return false;
    const mask = this.#plan.masks[cluster.target] as Mask;
    this.#counts.set(mask.name, (this.#counts.get(mask.name) ?? 0) + 1);
    this.#sink.masked(replacementOf(mask, this.#scan.bytes, cluster, this.#plan.hash));
    this.#cover(cluster.to);
    return true;
  }

  #cover(to: number): void {
    this.#coveredTo = Math.max(this.#coveredTo, to);
    this.#out = Math.max(this.#out, to);
  }

  #keep(to: number): void {
    if (to <= this.#out) return;
    this.#sink.kept(this.#scan.bytes, this.#out, to, this.#base + this.#out);
    this.#out = to;
  }
}

import type { MaskCounts } from '../../core/mask.js';
import { MAX_SHOWN_BYTES } from '../finding/clusters.js';
import type { Cluster, Finding, TargetTraits } from '../finding/clusters.js';
import type { Mask } from '../mask-set.js';
import { replacementOf } from '../strategies/replacement.js';
import type { Restored, Restorer } from './restorer.js';
import { SpelledScan } from '../spellings/spelled-scan.js';
import { nextSpelling } from '../spellings/spellings.js';
import type { StreamPlan } from './stream-plan.js';
import { REACH_BYTES, StreamScan } from './stream-scan.js';

/** Where a text stream writes to. */
export interface StreamSink {
  /** Bytes of the text that stay as they are; `at` is the offset of bytes[from] in the whole text. They are copied or lost. */
  kept(bytes: Uint8Array, from: number, to: number, at: number): void;
  /** What stands in the place of a finding; `nulls` where the strategy `null` met it. */
  masked(bytes: Uint8Array, nulls: boolean): void;
  /** What stood in the place of a placeholder before. */
  restored(bytes: Uint8Array): void;
}

/** What stands for a cluster and has not gone out. */
interface Cover {
  readonly name: string;
  readonly text: Uint8Array;
  readonly nulls: boolean;
}

/** One text in parts: masks what is found as soon as nothing to come can change it. */
export class TextStream {
  readonly #plan: StreamPlan;
  readonly #counts: MaskCounts;
  readonly #sink: StreamSink;
  readonly #restorer: Restorer | undefined;
  readonly #scan: StreamScan;
  /** From the first other way of writing on: the same text as readers take it. */
  #spelled: SpelledScan | undefined;
  /** Everything before went out, or is masked. */
  #out = 0;
  /** The last cluster that was masked ends here; what overlaps it is part of it. */
  #coveredTo = 0;
  #cover: Cover | undefined;
  /** Placeholders that have not gone out, in order. */
  #restored: Restored[] = [];
  /** A placeholder may have begun here. */
  #restoredTo = 0;
  /** What is before it is settled. */
  #hold = 0;
  /** Settled findings that had to wait, and for what: while neither changes, there is nothing to decide again. */
  #seen = 0;
  #seenHold = 0;
  /** Offset in the whole text of the scan's first byte. */
  #base = 0;

  constructor(plan: StreamPlan, counts: MaskCounts, sink: StreamSink, restorer?: Restorer) {
    this.#plan = plan;
    this.#counts = counts;
    this.#sink = sink;
    this.#restorer = restorer;
    this.#scan = new StreamScan(plan);
  }

  /** Memory that it holds bytes in. */
  get roomBytes(): number {
    return this.#scan.bytes.length;
  }

  push(part: Uint8Array): void {
    this.#scan.append(part);
    this.#advance(part.length, false);
  }

  end(): void {
    this.#advance(0, true);
  }

  /** @param added bytes that came */
  #advance(added: number, over: boolean): void {
    const scan = this.#scan;
    scan.look(over);
    this.#hold = scan.hold;
    this.#lookSpelled(scan.end - added, over);
    if (this.#restorer === undefined) this.#restoredTo = scan.end;
    else {
      this.#restoredTo = this.#restorer.find(scan.bytes, this.#restoredTo, scan.end, over, this.#restored);
      this.#hold = Math.min(this.#hold, this.#restoredTo);
      if (this.#coveredTo > this.#out) this.#coverTo(this.#coveredTo);
    }
    const findings = scan.found;
    const known = findings.length;
    scan.begun(findings);
    if (this.#spelled !== undefined) {
      const open: Finding[] = [];
      this.#spelled.begun(open);
      for (const one of open) findings.push(this.#here(one));
    }
    if (findings.length === 0) this.#keepTo(this.#hold);
    else if (over || known !== this.#seen || findings.length > known || this.#hold !== this.#seenHold)
      this.#release(findings, over);
    const kept = Math.min(this.#out, this.#restoredTo);
    if (this.#spelled?.idle === true && scan.idle && kept === scan.end) this.#spelled = undefined;
    this.#spelled?.forget(kept + this.#base);
    const by = scan.forget(kept);
    if (by > 0) this.#shift(by);
  }

  /** What is written in another way, from `from` on, is looked at as what it is. */
  #lookSpelled(from: number, over: boolean): void {
    const { bytes, end, found, plain } = this.#scan;
    let first = from;
    if (this.#spelled === undefined) {
      if (nextSpelling(bytes, plain ? Math.max(from, end - REACH_BYTES) : from, end, over) === end) return;
      // With what is before it: a value may have begun there.
      first = 0;
      this.#spelled = new SpelledScan(this.#plan, this.#base);
    }
    const spelled = this.#spelled;
    spelled.look(bytes.subarray(first, end), over);
    this.#hold = Math.min(this.#hold, spelled.hold - this.#base);
    const met: Finding[] = [];
    spelled.takeFound(met);
    for (const one of met) if (one.to - this.#base > this.#out) found.push(this.#here(one));
  }

  /** A finding at its place in the scan's bytes. */
  #here(finding: Finding): Finding {
    return { ...finding, from: finding.from - this.#base, to: finding.to - this.#base };
  }

  #shift(by: number): void {
    this.#base += by;
    this.#seenHold -= by;
    this.#out -= by;
    this.#coveredTo -= by;
    this.#restoredTo -= by;
    this.#restored = this.#restored.map((one) => ({ ...one, from: one.from - by, to: one.to - by }));
  }

  #release(findings: Finding[], over: boolean): void {
    let held = false;
    for (const cluster of this.#plan.rule.join(findings)) {
      if (cluster.from < this.#coveredTo) this.#coverTo(cluster.to);
      else {
        this.#keepTo(Math.min(this.#hold, cluster.from));
        held = cluster.from > this.#hold || !this.#mask(cluster, over);
        if (held) break;
      }
    }
    if (!held) this.#keepTo(this.#hold);
    this.#scan.found = findings.filter((one) => one.open !== true && one.to > this.#out);
    this.#seen = this.#scan.found.length;
    this.#seenHold = this.#hold;
  }

  /** Masks a cluster; false where it has to wait. */
  #mask(cluster: Cluster, over: boolean): boolean {
    const settled = over || (!cluster.open && cluster.to <= this.#hold);
    const { eager, order } = this.#plan.rule.traits[cluster.target] as TargetTraits;
    const long = cluster.to - cluster.from > MAX_SHOWN_BYTES && (this.#hold > cluster.from || order < 2);
    if (!settled && !(cluster.plain && (eager || long))) return false;
    const mask = this.#plan.masks[cluster.target] as Mask;
    // Of a finding that a placeholder is part of, the rest is shown in no way.
    const plain = cluster.plain || this.#out > cluster.from || this.#restored.some(({ from }) => from < cluster.to);
    const text = replacementOf(mask, this.#scan.bytes, plain ? { ...cluster, plain } : cluster, this.#plan.hash);
    this.#cover = { name: mask.name, text, nulls: cluster.nulls };
    this.#coverTo(cluster.to);
    return true;
  }

  /** What is masked reaches to here at least; its placeholders go out where they stand. */
  #coverTo(to: number): void {
    this.#coveredTo = Math.max(this.#coveredTo, to);
    const stop = Math.min(this.#coveredTo, this.#restoredTo);
    for (let next = this.#restored[0]; next !== undefined && next.from < stop; next = this.#restored[0]) {
      if (next.from > this.#out) this.#writeCover();
      this.#restore();
    }
    if (this.#out >= stop) return;
    this.#writeCover();
    this.#out = stop;
  }

  #writeCover(): void {
    if (this.#cover === undefined) return;
    const { name, text, nulls } = this.#cover;
    this.#cover = undefined;
    this.#counts.set(name, (this.#counts.get(name) ?? 0) + 1);
    this.#sink.masked(text, nulls);
  }

  #keepTo(to: number): void {
    for (let next = this.#restored[0]; next !== undefined && next.from < to; next = this.#restored[0]) {
      this.#keep(next.from);
      this.#restore();
    }
    this.#keep(to);
  }

  #keep(to: number): void {
    if (to <= this.#out) return;
    this.#sink.kept(this.#scan.bytes, this.#out, to, this.#base + this.#out);
    this.#out = to;
  }

  #restore(): void {
    const { to, original } = this.#restored.shift() as Restored;
    this.#sink.restored(original);
    this.#out = to;
  }
}

/** One finding of a text, offsets as its finder counts them. */
export interface Finding {
  readonly from: number;
  /** Exclusive. */
  readonly to: number;
  /** Which entity asked for it is. */
  readonly target: number;
  /** It has begun, and may go on behind `to`. */
  readonly open?: boolean;
  /** As readers take it, where that is not how it is written. */
  readonly spelt?: Uint8Array | undefined;
}

/** Findings of one value that touch or overlap, as one span; `target` is the finding that decides. */
export interface Cluster {
  from: number;
  /** Exclusive. */
  to: number;
  target: number;
  /** The deciding finding itself. */
  targetFrom: number;
  targetTo: number;
  /** Its mask's text stands for it, whatever the strategy: it is too long to be shown in part or by a pseudonym, or such a kind began it. */
  plain: boolean;
  /** A finding of it asks for NULL. */
  nulls: boolean;
  /** A finding of it may go on. */
  open: boolean;
  /** The deciding finding as readers take it, where that is not how it is written. */
  spelt?: Uint8Array | undefined;
}

/** What the decision needs to know of one entity. */
export interface TargetTraits {
  /** How strong its mask is: of findings that overlap, the lowest rank decides. */
  readonly rank: number;
  /** Its kind has no longest form, and nothing of a finding is shown: what begins with one is masked before its end is known. */
  readonly eager: boolean;
  /** Among findings that begin together, which is certain first: the lowest. */
  readonly order: number;
}

/** Places longer than this are masked as a whole: nobody waits for more bytes, however the text arrives. */
export const MAX_SHOWN_BYTES = 16_384;

/**
 * Joins findings that overlap. What a cluster is masked as depends on nothing that may be far behind its beginning,
 * so that texts in parts and whole texts are masked alike: an eager kind that begins it decides; else, over 16 KiB,
 * its first finding; else the strongest mask, then the longest finding, then the earliest.
 */
export class ClusterRule {
  constructor(readonly traits: readonly TargetTraits[]) {}

  /** @param findings in any order; sorted in place */
  join(findings: Finding[]): Cluster[] {
    if (findings.length > 1) findings.sort((a, b) => this.#order(a, b));
    const clusters: Cluster[] = [];
    let last: Cluster | undefined;
    let first = 0;
    for (const finding of findings) {
      if (last !== undefined && finding.from < last.to) {
        this.#add(last, finding);
        continue;
      }
      if (last !== undefined) this.#settle(last, first);
      first = finding.target;
      last = this.#clusterOf(finding);
      clusters.push(last);
    }
    if (last !== undefined) this.#settle(last, first);
    return clusters;
  }

  eager(target: number): boolean {
    return this.#of(target).eager;
  }

  #of(target: number): TargetTraits {
    return this.traits[target] as TargetTraits;
  }

  #order(a: Finding, b: Finding): number {
    return a.from - b.from || this.#of(a.target).order - this.#of(b.target).order || a.target - b.target;
  }

  #clusterOf({ from, to, target, open, spelt }: Finding): Cluster {
    const nulls = this.#of(target).rank === 0;
    return { from, to, target, targetFrom: from, targetTo: to, plain: false, nulls, open: open === true, spelt };
  }

  #add(cluster: Cluster, next: Finding): void {
    cluster.to = Math.max(cluster.to, next.to);
    cluster.open ||= next.open === true;
    cluster.nulls ||= this.#of(next.target).rank === 0;
    if (!this.#decides(next, cluster)) return;
    cluster.target = next.target;
    cluster.targetFrom = next.from;
    cluster.targetTo = next.to;
    cluster.spelt = next.spelt;
  }

  #decides(next: Finding, current: Cluster): boolean {
    const rank = this.#of(next.target).rank - this.#of(current.target).rank;
    if (rank !== 0) return rank < 0;
    const longer = next.to - next.from - (current.targetTo - current.targetFrom);
    if (longer !== 0) return longer > 0;
    return next.from === current.targetFrom && next.target < current.target;
  }

  #settle(cluster: Cluster, first: number): void {
    if (!this.eager(first) && cluster.to - cluster.from <= MAX_SHOWN_BYTES) return;
    cluster.target = first;
    cluster.plain = true;
  }
}

import type { KeyedHash, MaskCounts, MaskRule } from '../core/mask.js';
import { concatBytes } from '../core/bytes.js';
import { FindingScan } from './finding/findings.js';
import type { Cluster } from './finding/clusters.js';
import { maskJsonText } from './json/json-text.js';
import { Labels } from './finding/labels.js';
import { masksOf, prefilterOf, traitsOf } from './mask-set.js';
import type { Mask, TextMaskerOptions } from './mask-set.js';
import type { Prefilter } from './finding/prefilter.js';
import { replacementOf } from './strategies/replacement.js';

export type { CustomEntity } from './entities/custom.js';
export { checkCustomEntity } from './entities/custom.js';
export { BUILT_IN_ENTITY_NAMES } from './entities/built-in.js';
export type { EntityDetector } from './finding/entity.js';
export type { TextMaskerOptions } from './mask-set.js';
export { maskWhole } from './strategies/whole-value.js';
export { reveal } from './strategies/pseudonym-reversible.js';

/** Finds and masks the entities of one set of rules. Values are UTF-8; one masker serves one session at a time. */
export interface TextMasker {
  /**
   * False only when it is certain that no entity stands in bytes[start,end): a test over raw wire bytes,
   * where lengths and several cells or messages may share the range. Linear, without allocation.
   */
  mayMatch(bytes: Uint8Array, start: number, end: number): boolean;
  /**
   * Masks one whole value: a cell, an error field, a line. Undefined: untouched. Null: the strategy `null`
   * met something, the whole value becomes NULL. Adds to `counts` one for each masked place, by entity.
   */
  maskValue(bytes: Uint8Array, start: number, end: number, counts: MaskCounts): Uint8Array | null | undefined;
  /**
   * Masks one JSON text: strings, keys included, are decoded before they are looked at and stay valid JSON;
   * a number in which something is found becomes `null`. Text that is not JSON is masked as one value.
   */
  maskJson(bytes: Uint8Array, start: number, end: number, counts: MaskCounts): Uint8Array | null | undefined;
  /**
   * Masks text for records, logs, statements and requests: also values in other ways of writing (`&#64;`, `%40`,
   * full-width digits, signs that are not seen), which readers take for the same. Where a value would become NULL, the finding alone is redacted.
   *
   * @param replace has the last word on each finding
   */
  maskText(text: string, counts: MaskCounts, replace?: Replace): string;
  /** For the values of a column of this name: another masker where the name tells what they are, else undefined. */
  under(name: string): TextMasker | undefined;
}

/**
 * What is put in the place of a finding.
 *
 * @param found the whole place, as it stands in the text
 * @param masked what the rule puts there
 */
export type Replace = (found: string, entity: string, rule: MaskRule, masked: string) => string;

/**
 * @throws HoopError `config_invalid` where a rule names an entity that does not exist or a pattern does not
 *   compile: a mask that can't be carried out must stop the session, not pass it
 */
export function createTextMasker(options: TextMaskerOptions): TextMasker {
  return new RuleMasker(masksOf(options), options);
}

const encoder = new TextEncoder();
const decoder = new TextDecoder('utf-8', { ignoreBOM: true });

type MaskerOptions = Pick<TextMaskerOptions, 'hash' | 'spellings'>;

class RuleMasker implements TextMasker {
  readonly #masks: readonly Mask[];
  readonly #hash: KeyedHash;
  readonly #options: MaskerOptions;
  /** Of values; with the option, the same as of texts. */
  readonly #prefilter: Prefilter;
  /** Counts other ways of writing as a maybe. */
  readonly #spelledPrefilter: Prefilter;
  readonly #scan: FindingScan;
  readonly #labels: Labels;
  readonly #named = new Map<readonly Mask[], RuleMasker>();

  constructor(masks: readonly Mask[], options: MaskerOptions) {
    this.#masks = masks;
    this.#hash = options.hash;
    this.#options = options;
    this.#spelledPrefilter = prefilterOf(masks, { spellings: true });
    this.#prefilter = options.spellings === true ? this.#spelledPrefilter : prefilterOf(masks);
    this.#labels = new Labels(masks);
    this.#scan = new FindingScan(
      masks.map((mask) => mask.target),
      masks.map(traitsOf),
    );
  }

  mayMatch(bytes: Uint8Array, start: number, end: number): boolean {
    return this.#prefilter.mayMatch(bytes, start, end);
  }

  maskValue(bytes: Uint8Array, start: number, end: number, counts: MaskCounts): Uint8Array | null | undefined {
    if (!this.#prefilter.mayMatch(bytes, start, end)) return undefined;
    const { spellings } = this.#options;
    const clusters =
      spellings === true ? this.#scan.scanSpelled(bytes, start, end) : this.#scan.scan(bytes, start, end);
    if (clusters === undefined) return undefined;
    this.#count(clusters, counts);
    if (clusters.some((cluster) => cluster.nulls)) return null;
    return this.#replaced(bytes, start, end, clusters);
  }

  maskJson(bytes: Uint8Array, start: number, end: number, counts: MaskCounts): Uint8Array | null | undefined {
    if (!this.#prefilter.mayMatch(bytes, start, end)) return undefined;
    const found: MaskCounts = new Map();
    const masked = maskJsonText(bytes, start, end, (value, from, to) => this.maskValue(value, from, to, found));
    if (masked === 'malformed') return this.maskValue(bytes, start, end, counts);
    for (const [name, count] of found) counts.set(name, (counts.get(name) ?? 0) + count);
    return masked;
  }

  maskText(text: string, counts: MaskCounts, replace?: Replace): string {
    const bytes = encoder.encode(text);
    if (!this.#spelledPrefilter.mayMatch(bytes, 0, bytes.length)) return text;
    const clusters = this.#scan.scanSpelled(bytes, 0, bytes.length);
    if (clusters === undefined) return text;
    this.#count(clusters, counts);
    return decoder.decode(this.#replaced(bytes, 0, bytes.length, clusters, replace));
  }

  under(name: string): TextMasker | undefined {
    const masks = this.#labels.masksUnder(name);
    if (masks === undefined) return undefined;
    const known = this.#named.get(masks) ?? new RuleMasker(masks, this.#options);
    this.#named.set(masks, known);
    return known;
  }

  #maskOf(cluster: Cluster): Mask {
    return this.#masks[cluster.target] as Mask;
  }

  #count(clusters: readonly Cluster[], counts: MaskCounts): void {
    for (const cluster of clusters) {
      const { name } = this.#maskOf(cluster);
      counts.set(name, (counts.get(name) ?? 0) + 1);
    }
  }

  #replaced(
    bytes: Uint8Array,
    start: number,
    end: number,
    clusters: readonly Cluster[],
    replace?: Replace,
  ): Uint8Array {
    const put = this.#putBy(replace);
    const only = clusters[0] as Cluster;
    if (only.from === start && only.to === end) return put(bytes, only);
    const parts: Uint8Array[] = [];
    let kept = start;
    for (const cluster of clusters) {
      if (cluster.from > kept) parts.push(bytes.subarray(kept, cluster.from));
      parts.push(put(bytes, cluster));
      kept = cluster.to;
    }
    if (end > kept) parts.push(bytes.subarray(kept, end));
    return concatBytes(parts);
  }

  #putBy(replace: Replace | undefined): (bytes: Uint8Array, cluster: Cluster) => Uint8Array {
    const replacement = (bytes: Uint8Array, cluster: Cluster) =>
      replacementOf(this.#maskOf(cluster), bytes, cluster, this.#hash);
    if (replace === undefined) return replacement;
    return (bytes, cluster) => {
      const { name, rule } = this.#maskOf(cluster);
      const found = decoder.decode(bytes.subarray(cluster.from, cluster.to));
      return encoder.encode(replace(found, name, rule, decoder.decode(replacement(bytes, cluster))));
    };
  }
}

import type { EntityDetector } from './entity.js';
import { NUMBER_KINDS } from '../entities/built-in.js';
import { numberDetector, type NumberKind } from '../entities/number-kind.js';
import { US_SSN_BY_NAME } from '../entities/us-ssn.js';
import type { Mask } from '../mask-set.js';

/** Names kept with what they tell. */
const MAX_NAMES = 1_000;

/** Kinds of which the writing alone says too little, and a name enough. */
const NAMED_KINDS: ReadonlyMap<string, NumberKind> = new Map(
  [...NUMBER_KINDS.filter(({ near = [] }) => near.length > 0), US_SSN_BY_NAME].map((kind) => [kind.name, kind]),
);

/**
 * What the name of a column tells of the values in it: `customer_bsn` that a bare number of nine digits with the right check
 * digit is one. A word in front of a number tells the same within a text; in a column of its own there is none.
 */
export class Labels {
  readonly #kinds: readonly { readonly mask: Mask; readonly kind: NumberKind }[];
  readonly #byName = new Map<string, readonly Mask[] | undefined>();
  readonly #byKinds = new Map<string, readonly Mask[]>();

  constructor(private readonly masks: readonly Mask[]) {
    this.#kinds = masks.flatMap((mask) => {
      const kind = mask.detector && NAMED_KINDS.get(mask.detector.name);
      return kind === undefined ? [] : [{ mask, kind }];
    });
  }

  /** The masks for what stands under this name; undefined where it tells nothing. The same array for names that tell the same. */
  masksUnder(name: string): readonly Mask[] | undefined {
    if (this.#kinds.length === 0) return undefined;
    if (this.#byName.has(name)) return this.#byName.get(name);
    const words = wordsOf(name);
    const named = this.#kinds.filter(({ kind }) => (kind.words ?? []).some((word) => words.includes(wordsOf(word))));
    const masks = named.length === 0 ? undefined : this.#sure(named);
    if (this.#byName.size < MAX_NAMES) this.#byName.set(name, masks);
    return masks;
  }

  #sure(named: readonly { readonly mask: Mask; readonly kind: NumberKind }[]): readonly Mask[] {
    const key = named.map(({ kind }) => kind.name).join(' ');
    const known = this.#byKinds.get(key);
    if (known !== undefined) return known;
    const masks = this.masks.map((mask): Mask => {
      const kind = named.find((one) => one.mask === mask)?.kind;
      if (kind === undefined || mask.detector === undefined) return mask;
      const detector = sureOf(kind, mask.detector);
      return { ...mask, detector, target: { detector } };
    });
    this.#byKinds.set(key, masks);
    return masks;
  }
}

/** Of such a kind every way of writing it is taken, and what is left of it is as elsewhere. */
function sureOf(kind: NumberKind, { partial, pseudonym }: EntityDetector): EntityDetector {
  const { sure = [], near = [] } = kind;
  return { ...numberDetector({ ...kind, sure: [...sure, ...near], near: [] }), partial, pseudonym };
}

/** ` customer bsn ` of `customer_bsn`, `customerBsn` and `Customer-BSN`. */
function wordsOf(name: string): string {
  const apart = name.replaceAll(/(\p{Ll})(\p{Lu})/gu, '$1 $2').replaceAll(/[^\p{L}\p{N}]+/gu, ' ');
  return ` ${apart.trim().toLowerCase()} `;
}

import { HoopError } from '../core/errors.js';
import type { KeyedHash, MaskRule, Strategy } from '../core/mask.js';
import { CustomFinder } from './entities/custom.js';
import type { CustomEntity } from './entities/custom.js';
import type { TargetTraits } from './finding/clusters.js';
import type { EntityDetector } from './finding/entity.js';
import { builtInEntity } from './finding/findings.js';
import type { Target } from './finding/findings.js';
import { literalProbe, Prefilter, spellingProbe } from './finding/prefilter.js';

export interface TextMaskerOptions {
  /** Only the rules that apply: the caller leaves out observed ones where they must not act. Columns are not looked at. */
  readonly rules: readonly MaskRule[];
  readonly custom?: readonly CustomEntity[];
  readonly hash: KeyedHash;
  /** Are other ways of writing (`&#64;`, full-width digits) read in values and JSON too, as texts and streams always are? */
  readonly spellings?: boolean;
}

/** From strongest to weakest. */
const STRENGTH: readonly Strategy[] = ['null', 'redact', 'replace', 'hash', 'partial'];

export function strengthOf(strategy: Strategy): number {
  return STRENGTH.indexOf(strategy);
}

/** What decides between this mask and others that meet the same place. */
export function traitsOf({ rule: { strategy }, detector }: Mask): TargetTraits {
  const open = detector?.open;
  const shows = strategy === 'hash' || (strategy === 'partial' && detector?.partial !== 'none');
  const order = open === undefined ? 2 : open === 'url' ? 1 : 0;
  return { rank: strengthOf(strategy), eager: open !== undefined && !shows, order };
}

/** What is to be done with one entity. */
export interface Mask {
  readonly name: string;
  readonly target: Target;
  /** The target's, where it is a built-in kind. */
  readonly detector: EntityDetector | undefined;
  readonly rule: MaskRule;
  /** What stands in the place of a finding of which nothing is shown. */
  readonly text: Uint8Array;
}

/** @throws HoopError `config_invalid` where a rule names an unknown entity or a pattern does not compile */
export function masksOf({ rules, custom = [] }: TextMaskerOptions): Mask[] {
  const strongest = new Map<string, MaskRule>();
  for (const rule of rules) {
    for (const name of rule.entities) {
      const known = strongest.get(name);
      if (known === undefined || strengthOf(rule.strategy) < strengthOf(known.strategy)) strongest.set(name, rule);
    }
  }
  return Array.from(strongest, ([name, rule]) => {
    const target = targetOf(name, custom);
    const text = new TextEncoder().encode(rule.strategy === 'replace' ? rule.with : `[${name}]`);
    return { name, rule, target, text, detector: 'detector' in target ? target.detector : undefined };
  });
}

function targetOf(name: string, custom: readonly CustomEntity[]): Target {
  const detector = builtInEntity(name);
  if (detector !== undefined) return { detector };
  const entity = custom.find((candidate) => candidate.name === name);
  if (entity === undefined) throw new HoopError('config_invalid', `mask names an unknown entity: ${name}`);
  try {
    return { finder: new CustomFinder(entity) };
  } catch (cause) {
    throw new HoopError('config_invalid', `entity ${name}: pattern is not of RE2 syntax`, { cause });
  }
}

/**
 * Says quickly that none of these masks has anything to do.
 *
 * @param options.spellings what stands in another way of writing can't be ruled out
 */
export function prefilterOf(masks: readonly Mask[], options: { readonly spellings?: boolean } = {}): Prefilter {
  const targets = masks.map((mask) => mask.target);
  const finders = targets.flatMap((target) => ('finder' in target ? [target.finder] : []));
  return new Prefilter(
    [
      ...targets.flatMap((target) => ('detector' in target ? target.detector.probes : [])),
      ...finders.filter((finder) => finder.literal.length > 0).map((finder) => literalProbe(finder.literal)),
      ...(options.spellings === true && targets.length > 0 ? [spellingProbe()] : []),
    ],
    finders.some((finder) => finder.literal.length === 0),
  );
}

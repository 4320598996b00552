import type { KeyedHash } from '../../core/mask.js';
import { ClusterRule } from '../finding/clusters.js';
import type { CustomFinder } from '../entities/custom.js';
import type { EntityDetector } from '../finding/entity.js';
import { masksOf, prefilterOf, traitsOf } from '../mask-set.js';
import type { Mask, TextMaskerOptions } from '../mask-set.js';
import type { Prefilter } from '../finding/prefilter.js';
import { triggerTables } from '../finding/trigger-tables.js';

/** What all streams of one set of rules share. */
export interface StreamPlan {
  readonly masks: readonly Mask[];
  readonly hash: KeyedHash;
  readonly rule: ClusterRule;
  readonly prefilter: Prefilter;
  /** Counts other ways of writing as a maybe. */
  readonly spelledPrefilter: Prefilter;
  readonly detectors: readonly EntityDetector[];
  /** By detector: which mask it is for. */
  readonly detectorTargets: readonly number[];
  /** For each 32 detectors, by byte: bits of those it is a trigger of. */
  readonly tables: readonly Uint32Array[];
  readonly leads: readonly EntityDetector['lead'][];
  readonly finders: readonly { readonly finder: CustomFinder; readonly target: number }[];
  /** A mask makes whole values NULL. */
  readonly nulls: boolean;
}

/** @throws HoopError `config_invalid` where a rule names an unknown entity or a pattern does not compile */
export function streamPlanOf(options: TextMaskerOptions): StreamPlan {
  const masks = masksOf(options);
  const detectors: EntityDetector[] = [];
  const detectorTargets: number[] = [];
  const finders: { finder: CustomFinder; target: number }[] = [];
  masks.forEach(({ target }, index) => {
    if ('finder' in target) finders.push({ finder: target.finder, target: index });
    else {
      detectors.push(target.detector);
      detectorTargets.push(index);
    }
  });
  return {
    masks,
    hash: options.hash,
    rule: new ClusterRule(masks.map(traitsOf)),
    prefilter: prefilterOf(masks),
    spelledPrefilter: prefilterOf(masks, { spellings: true }),
    detectors,
    detectorTargets,
    tables: triggerTables(detectors),
    leads: detectors.map(({ lead }) => lead).filter((lead) => lead !== undefined),
    finders,
    nulls: masks.some(({ rule }) => rule.strategy === 'null'),
  };
}

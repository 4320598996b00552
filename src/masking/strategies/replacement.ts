import { copyBytes } from '../../core/copy-bytes.js';
import type { KeyedHash } from '../../core/mask.js';
import type { Cluster } from '../finding/clusters.js';
import type { Mask } from '../mask-set.js';
import { partialOf } from './partial.js';
import { pseudonymOf } from './pseudonym.js';

/** What stands in the place of one cluster of `bytes`. A fresh copy. */
export function replacementOf(mask: Mask, bytes: Uint8Array, cluster: Cluster, hash: KeyedHash): Uint8Array {
  const { name, rule, detector, text } = mask;
  if (cluster.plain) return copyBytes(text);
  const { spelt } = cluster;
  if (rule.strategy === 'hash') {
    return pseudonymOf(
      spelt ?? bytes.subarray(cluster.targetFrom, cluster.targetTo),
      detector?.pseudonym ?? 'token',
      name,
      hash,
      rule.reversible,
    );
  }
  // What overlapping findings add beyond the deciding one is not shown at all.
  const alone = cluster.from === cluster.targetFrom && cluster.to === cluster.targetTo;
  if (rule.strategy === 'partial' && alone && spelt !== undefined)
    return partialOf(spelt, 0, spelt.length, detector?.partial ?? 'third', name);
  if (rule.strategy === 'partial' && alone)
    return partialOf(bytes, cluster.from, cluster.to, detector?.partial ?? 'third', name);
  return copyBytes(text);
}

import type { Clock } from '../../core/clock.js';
import type { Store } from '../../store/store.js';
import type { AgentLog } from '../log.js';

const WHY = 'the store was put back to an earlier state';

/**
 * The store is older than the recordings: what was revoked, denied or used up since then would hold again. Nobody can tell
 * what, so all that it holds of permissions is ended; people ask again.
 *
 * @param sessions how many it did not know
 */
export function endPermissionsOf(
  { requests, grants }: Pick<Store, 'requests' | 'grants'>,
  sessions: number,
  clock: Pick<Clock, 'timestamp'>,
  log: AgentLog,
): void {
  const at = clock.timestamp();
  const active = grants.list({ state: 'active' });
  for (const { id } of active) grants.end(id, { state: 'ended', endedAt: at, endedBy: '', endReason: WHY });
  const waiting = requests.list({ state: 'pending' });
  for (const { id } of waiting)
    requests.resolve(id, { state: 'cancelled', decidedBy: '', decidedAt: at, decisionReason: WHY });
  log.error(
    `${WHY}: it did not know ${String(sessions)} sealed sessions. Grants and waiting requests of it were ended; secrets that were rotated or revoked since, and what limits had counted, have to be looked after`,
    { grants: String(active.length), requests: String(waiting.length) },
  );
}

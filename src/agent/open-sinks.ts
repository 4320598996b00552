import { dirname, join } from 'node:path';
import { HoopError } from '../core/errors.js';
import { Sinks } from '../sinks/sinks.js';
import type { Parts } from './parts.js';

/**
 * Opens the sinks of the resources; their queues stand beside the store.
 *
 * @throws HoopError config_invalid where a queue can't be opened
 */
export async function openSinks({
  live,
  clock,
  secrets,
  log,
}: Pick<Parts, 'live' | 'clock' | 'secrets' | 'log'>): Promise<Sinks> {
  const sinks = new Sinks({
    dir: join(dirname(live.agent.store.path), 'sinks'),
    nowMs: () => clock.nowMs(),
    random: Math.random,
    reveal: async (reference) => (await secrets.resolve(reference)).reveal(),
    info: (message) => {
      log.info(message);
    },
    warn: (message) => {
      log.warn(message);
    },
  });
  const faults = await sinks.configure(live.current.sinks, live.current.approvalFlows);
  if (faults.length > 0) throw new HoopError('config_invalid', faults.join('\n'));
  return sinks;
}

import { dirname, join } from 'node:path';
import { HoopError } from '../../core/errors.js';
import type { SecretRef } from '../../core/resources.js';
import { Sinks } from '../../sinks/sinks.js';
import type { Parts } from '../parts.js';

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
    ...deliveryHost({ clock, secrets, log }),
    random: Math.random,
    info: (message) => {
      log.info(message);
    },
  });
  const faults = await sinks.configure(live.current.sinks, live.current.approvalFlows);
  if (faults.length > 0) throw new HoopError('config_invalid', faults.join('\n'));
  return sinks;
}

/** What goes out of the agent needs: the time, the values of headers, and where to complain. */
export function deliveryHost({ clock, secrets, log }: Pick<Parts, 'clock' | 'secrets' | 'log'>) {
  return {
    clock,
    nowMs: () => clock.nowMs(),
    reveal: async (reference: SecretRef) => (await secrets.resolve(reference)).reveal(),
    warn: (message: string) => {
      log.warn(message);
    },
  };
}

import { describe, expect, it } from 'vitest';
import { runChaos } from '../../scripts/stress/lib/chaos.js';
import { missingPostgres } from '../support/postgres-server.js';

describe.skipIf(missingPostgres() !== undefined)('an agent that is killed, starved and cut off', () => {
  it('lets nothing through that is not allowed and recorded, and nothing twice that was approved once', async () => {
    const events = ['fill the disk', 'kill', 'cut the tunnels', 'lose the database'] as const;
    const totals = await runChaos({ durationMs: 1_000, clients: 2, seed: 3, events, restMs: [500, 1_000] });
    expect(totals.faults).toEqual([]);
    expect(Object.keys(totals.events)).toHaveLength(4);
    expect(totals.reached['a']).toBeGreaterThan(0);
    expect(totals.reached['b']).toBeUndefined();
    expect(totals.calls).toBeGreaterThan(0);
  }, 240_000);
});

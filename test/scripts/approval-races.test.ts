import { expect, it } from 'vitest';
import { raceApprovals } from '../../scripts/stress/lib/approval-races.js';

it('ends 40 requests with racing reviewers, hang-ups, expiry and revoking each in one state that all agree on', async () => {
  const totals = await raceApprovals({ requests: 40, atOnce: 8, seed: 7 });
  expect(totals.faults).toEqual([]);
  expect(totals.requests).toBe(40);
  expect(Object.keys(totals.byRace)).toHaveLength(6);
  expect(Object.keys(totals.states)).toEqual(expect.arrayContaining(['approved', 'denied']));
});

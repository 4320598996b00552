import { describe, expect, it } from 'vitest';
import { Portals } from '../../../src/protocols/postgres/statements/portals.js';
import { PreparedStatements, type Candidate } from '../../../src/protocols/postgres/statements/prepared.js';
import type { Portal } from '../../../src/protocols/postgres/statements/run.js';

const candidate = (text: string): Candidate => ({ text, types: [] }) as unknown as Candidate;
const portal = (text: string, opened = false): Portal =>
  ({ run: { text }, columns: undefined, opened }) as unknown as Portal;
const TEXT = 'x'.repeat(10_000);

describe('the memory that a session is said to hold', () => {
  it('grows with each prepared text, and is nothing once all are closed, however they went', () => {
    const prepared = new PreparedStatements();
    const [one, two, three] = [candidate(TEXT), candidate(TEXT), candidate(TEXT)];
    prepared.propose('a', one);
    prepared.propose('a', two);
    expect(prepared.heldBytes).toBeGreaterThan(40_000);
    prepared.confirm('a', two);
    prepared.propose('', one);
    prepared.propose('', three);
    expect(prepared.heldBytes).toBeLessThan(50_000);
    prepared.withdraw('', three);
    prepared.closed('a', [two]);
    expect(prepared.heldBytes).toBe(0);
    prepared.propose('b', one);
    prepared.closedAll();
    expect(prepared.heldBytes).toBe(0);
  });

  it('counts the text of each open portal, also where its statement is closed', () => {
    const portals = new Portals();
    for (let nth = 0; nth < 100; nth += 1) portals.set(`p${String(nth)}`, portal(TEXT, true));
    expect(portals.heldBytes).toBeGreaterThan(2_000_000);
    portals.set('p0', portal('', false));
    portals.delete('p1');
    portals.transactionEnded();
    expect(portals.heldBytes).toBeLessThan(2_000);
    portals.delete('p0');
    expect(portals.heldBytes).toBe(0);
  });
});

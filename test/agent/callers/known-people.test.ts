import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { KnownPeople } from '../../../src/agent/callers/known-people.js';
import { openStore } from '../../../src/store/store.js';
import { person } from '../../approvals/desk.js';
import { makeFolder } from '../../support/folders.js';

const folder = makeFolder('people');
const HOUR_MS = 3_600_000;

describe('what is remembered of people', () => {
  it('is what their last token said, for so long, also after a restart; and nothing of people whom nobody named', () => {
    const path = join(folder, 'hoop.db');
    const masterKey = Buffer.alloc(32, 7);
    let nowMs = 1_000_000;
    const clock = { nowMs: () => nowMs };
    const store = openStore({ path, masterKey });
    const people = new KnownPeople(store, clock, (_issuer, subject) => subject !== 'carol');
    const bob = person('bob', ['dba']);
    people.see(bob);
    people.see(person('carol', ['dba']));
    expect(people.within(bob.issuer, 'bob', HOUR_MS)).toEqual(bob);
    expect(people.within(bob.issuer, 'carol', HOUR_MS)).toBeUndefined();
    expect(people.within('https://other.example.com', 'bob', HOUR_MS)).toBeUndefined();
    nowMs += 1_000;
    people.see(person('bob', ['sales']));
    store.close();

    const again = openStore({ path, masterKey });
    const later = new KnownPeople(again, clock, () => true);
    expect(later.within(bob.issuer, 'bob', HOUR_MS)?.groups).toEqual(['sales']);
    nowMs += HOUR_MS;
    expect(later.within(bob.issuer, 'bob', HOUR_MS)?.groups).toEqual(['sales']);
    nowMs += 1;
    expect(later.within(bob.issuer, 'bob', HOUR_MS)).toBeUndefined();
    later.see(bob);
    expect(later.within(bob.issuer, 'bob', HOUR_MS)).toEqual(bob);
    again.close();
  });
});

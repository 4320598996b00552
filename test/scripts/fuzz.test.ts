import { beforeAll, describe, expect, it } from 'vitest';
import { fuzzClient } from '../../scripts/fuzz/lib/client-direction.js';
import { drops, FakeServer } from '../../scripts/fuzz/lib/fake-server.js';
import { runOne } from '../../scripts/fuzz/lib/run.js';
import { fuzzServer } from '../../scripts/fuzz/lib/server-direction.js';
import { loadGrammar } from '../../src/protocols/postgres/facts/analyze.js';
import { bind, execute, parse, query } from '../protocols/postgres/wire.js';

describe('both directions of a Postgres session, 1,500 inputs each', () => {
  beforeAll(() => loadGrammar());

  it('a hostile client gets no refused statement run', () => {
    for (let seed = 0; seed < 1_500; seed += 1) runOne(fuzzClient, seed);
  });

  it('a hostile server gets no planted value through', () => {
    for (let seed = 0; seed < 1_500; seed += 1) runOne(fuzzServer, seed);
  });

  it('the fake server sees what is run, simple and prepared', () => {
    const server = new FakeServer();
    server.receive(Buffer.concat([query('SELECT 1'), parse('s', 'DROP TABLE t'), bind('p', 's')]));
    expect(server.ran.some(drops)).toBe(false);
    server.receive(execute('p'));
    expect(server.ran).toEqual(['SELECT 1', 'DROP TABLE t']);
    expect(server.ran.some(drops)).toBe(true);
  });
});

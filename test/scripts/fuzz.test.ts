import { beforeAll, expect, it } from 'vitest';
import { fuzzDocuments } from '../../scripts/fuzz/documents.js';
import { fuzzHttp } from '../../scripts/fuzz/http.js';
import { fuzz } from '../../scripts/fuzz/mutation.js';
import { fuzzPostgresClient } from '../../scripts/fuzz/postgres-client.js';
import { fuzzPostgresServer } from '../../scripts/fuzz/postgres-server.js';
import { loadGrammar } from '../../src/protocols/postgres/facts/analyze.js';

beforeAll(loadGrammar);

it('holds its promises against a hostile Postgres client for 3 s', () => {
  const report = fuzz(fuzzPostgresClient, { seconds: 3, seed: 20_000 });
  expect(report.failure).toBeUndefined();
  expect(report.runs).toBeGreaterThan(100);
});

it('holds its promises against a Postgres server gone wrong for 3 s', () => {
  const report = fuzz(fuzzPostgresServer, { seconds: 3, seed: 20_000 });
  expect(report.failure).toBeUndefined();
  expect(report.runs).toBeGreaterThan(100);
});

it('holds its promises against hostile callers and upstreams over HTTP, through a real agent, for 3 s', async () => {
  const report = await fuzzHttp({ seconds: 3, seed: 20_000 });
  expect(report.failure).toBeUndefined();
  expect(report.runs).toBeGreaterThan(10);
}, 60_000);

it('shows no masked value in JSON that queries build, through a real agent and server, for 5 s', async () => {
  const report = await fuzzDocuments({ seconds: 5, seed: 20_000 });
  expect(report.failure).toBeUndefined();
  expect(report.runs).toBeGreaterThan(20);
}, 60_000);

it('gives the seed of the run that broke a promise', () => {
  const report = fuzz(
    (seed) => {
      if (seed === 12) throw new Error('broken');
    },
    { seconds: 5, seed: 10 },
  );
  expect([report.runs, report.failure?.seed]).toEqual([3, 12]);
});

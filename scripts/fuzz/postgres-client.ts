// Fuzzes what a client sends to a Postgres session: node --import tsx scripts/fuzz/postgres-client.ts [--seconds N | --seed N]
import { loadGrammar } from '../../src/protocols/postgres/facts/analyze.js';
import { fuzzClient } from './lib/client-direction.js';
import { main } from './lib/run.js';

await loadGrammar();
main(fuzzClient);

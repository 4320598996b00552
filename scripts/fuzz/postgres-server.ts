// Fuzzes what a server sends to a Postgres session: node --import tsx scripts/fuzz/postgres-server.ts [--seconds N | --seed N]
import { loadGrammar } from '../../src/protocols/postgres/facts/analyze.js';
import { fuzzServer } from './lib/server-direction.js';
import { main } from './lib/run.js';

await loadGrammar();
main(fuzzServer);

/**
 * Queries that build JSON of masked columns, through a real agent to a real server. Promise held: no value of a masked
 * column comes back, in a result or in an error, by either protocol or by a cursor.
 *
 *     npx tsx scripts/fuzz/documents.ts --seconds 600 --seed 1
 */
import { pathToFileURL } from 'node:url';
import pg from 'pg';
import { startTestAgent } from '../../test/support/agent.js';
import { startPostgres } from '../../test/support/postgres-server.js';
import { Dice, fuzzInTurn, seedAndSeconds, tellReport, type FuzzReport } from './mutation.js';
import { MASKS, oddDocumentQuery, SECRETS, SEED } from './odd-documents.js';

const DATABASE = 'documents';

export async function fuzzDocuments(options: { readonly seconds: number; readonly seed: number }): Promise<FuzzReport> {
  const server = await startPostgres({});
  await server.createDatabase(DATABASE, SEED);
  const agent = await startTestAgent({ policies: MASKS, database: DATABASE, postgres: server });
  const { port } = await agent.port();
  const client = new pg.Client({ host: '127.0.0.1', port, user: 'x', database: DATABASE });
  await client.connect();
  try {
    return await fuzzInTurn(async (seed) => {
      const dice = new Dice(seed);
      const query = oddDocumentQuery(dice);
      const shown = await answer(client, query, dice);
      if (SECRETS.test(shown)) throw new Error(`a masked value came back: ${query}\n${shown.slice(0, 2_000)}`);
    }, options);
  } finally {
    await client.end();
    await agent.close();
    await server.stop();
  }
}

/** All that the client is told. */
async function answer(client: pg.Client, query: string, dice: Dice): Promise<string> {
  try {
    if (dice.chance(40)) return JSON.stringify((await client.query(query)).rows);
    if (dice.chance(60)) return JSON.stringify((await client.query({ text: query, values: [] })).rows);
    await client.query('begin');
    await client.query(`declare k cursor for ${query}`);
    return JSON.stringify((await client.query('fetch all from k')).rows);
  } catch (error) {
    if (!(error instanceof pg.DatabaseError)) throw error;
    const { message, detail, hint, where } = error;
    return JSON.stringify([message, detail, hint, where]);
  } finally {
    await client.query('rollback');
  }
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) tellReport(await fuzzDocuments(seedAndSeconds()));

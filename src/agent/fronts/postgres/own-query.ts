import type { Socket } from 'node:net';
import { HoopError } from '../../../core/errors.js';
import type { Rows } from '../../../protocols/postgres/catalog/queries.js';
import { queryMessage } from '../../../protocols/postgres/wire/messages.js';
import { rowTexts } from '../../../protocols/postgres/results/row-texts.js';
import { OwnConnection, type OwnAnswer, type OwnSession } from './own-connection.js';

export type { OwnSession } from './own-connection.js';

/** The next query, given what those before it gave; undefined when there is none. */
export type NextQuery = (results: readonly Rows[]) => string | undefined;

/**
 * Runs queries of the agent's own over a socket, one result each, and closes it.
 *
 * @throws HoopError upstream_unreachable, without the server's own words
 */
export async function ownQueries(
  socket: Socket,
  session: OwnSession,
  next: NextQuery,
  timeoutMs: number,
): Promise<readonly Rows[]> {
  const connection = await OwnConnection.open(socket, session, timeoutMs);
  const results: Rows[] = [];
  try {
    for (let query = next(results); query !== undefined; query = next(results))
      results.push(rowsOf(await connection.ask(queryMessage(query))));
    return results;
  } finally {
    connection.close();
  }
}

/** @throws HoopError upstream_unreachable where the server refused, or gave what is no row */
export function rowsOf({ refused, rows }: OwnAnswer): Rows {
  const why = refused === undefined ? 'malformed row' : `the server refused the query (${refused})`;
  const fail = (): HoopError => new HoopError('upstream_unreachable', 'a query of the agent failed', { why });
  if (refused !== undefined) throw fail();
  return rows.map((row) => {
    const texts = rowTexts(row);
    if (texts === undefined) throw fail();
    return texts;
  });
}

import type { Fault } from '../core/errors.js';
import { matchesGlob } from '../core/glob.js';
import type { PostgresConnection } from '../core/resources.js';

/**
 * Which database a client gets.
 *
 * A name that the connection allows is used as asked. Otherwise a client that names none, or names
 * what its program fills in by itself (the connection's name, its own user name), gets the default.
 *
 * @param asked the start-up packet's `database`; undefined or empty where it has none
 * @param startupUser the start-up packet's `user`
 * @returns a fault for any other name; on the Postgres wire that is SQLSTATE 3D000
 */
export function databaseFor(
  connection: Pick<PostgresConnection, 'name' | 'database' | 'databases'>,
  asked: string | undefined,
  startupUser: string,
): { readonly database: string } | { readonly fault: Fault } {
  if (asked === undefined || asked === '') return { database: connection.database };
  if (asked === connection.database || connection.databases.some((pattern) => matchesGlob(pattern, asked)))
    return { database: asked };
  if (asked === connection.name || asked === startupUser) return { database: connection.database };
  return { fault: { code: 'no_access', message: 'the connection has no database of that name' } };
}

import type { ConnectionSummary } from '../core/connection-summary.js';
import { HoopError } from '../core/errors.js';
import type { Identity } from '../core/identity.js';
import { meetsGroups } from '../core/identity.js';
import {
  isHttpConnection,
  type ConnectionResource,
  type DatabaseCredential,
  type HttpConnection,
  type HttpCredential,
  type PostgresConnection,
} from '../core/resources.js';

type Caller = Pick<Identity, 'groups'>;

/** A connection with the credential that a caller has on it. */
export type Permitted = PostgresPermitted | HttpPermitted;

export interface PostgresPermitted {
  readonly connection: PostgresConnection;
  readonly credential: DatabaseCredential;
}

export interface HttpPermitted {
  readonly connection: HttpConnection;
  readonly credential: HttpCredential;
}

export function isHttpPermitted(permitted: Permitted): permitted is HttpPermitted {
  return isHttpConnection(permitted.connection);
}

/** The first credential whose groups the caller meets: their order in the file is their rank. */
export function pickCredential<Kind extends { readonly groups: readonly string[] }>(
  connection: { readonly credentials: readonly Kind[] },
  caller: Caller,
): Kind | undefined {
  return connection.credentials.find((credential) => meetsGroups(credential.groups, caller));
}

export function accessOf(connection: Pick<ConnectionResource, 'access'>): ConnectionSummary['access'] {
  return connection.access.approval === undefined ? 'open' : 'needs approval';
}

/** What the caller may use, by name. */
export function usableConnections(
  connections: readonly ConnectionResource[],
  caller: Caller,
): readonly ConnectionSummary[] {
  return connections
    .filter((connection) => permitted(connection, caller) !== undefined)
    .map((connection) => ({
      name: connection.name,
      type: connection.type,
      access: accessOf(connection),
      database: isHttpConnection(connection) ? '' : connection.database,
      labels: connection.labels,
    }))
    .sort((one, other) => (one.name < other.name ? -1 : 1));
}

/**
 * The connection of that name and the credential the caller uses on it.
 *
 * @throws HoopError `no_access`, the same for a name that is not there and one that is not the
 * caller's; `not_allowed` where access itself needs an approved request
 */
export function connectionFor(connections: readonly ConnectionResource[], name: string, caller: Caller): Permitted {
  const connection = connections.find((one) => one.name === name);
  const found = connection === undefined ? undefined : permitted(connection, caller);
  if (found === undefined) throw new HoopError('no_access', 'no connection of that name that you may use');
  if (accessOf(found.connection) === 'needs approval') {
    throw new HoopError('not_allowed', 'access needs an approved request; not in this version');
  }
  return found;
}

/** Access by group, and a credential to go with it. */
function permitted(connection: ConnectionResource, caller: Caller): Permitted | undefined {
  if (!meetsGroups(connection.access.groups, caller)) return undefined;
  if (isHttpConnection(connection)) {
    const credential = pickCredential(connection, caller);
    return credential && { connection, credential };
  }
  const credential = pickCredential(connection, caller);
  return credential && { connection, credential };
}

import type { ConnectionSummary } from '../core/connection-summary.js';
import { HoopError } from '../core/errors.js';
import type { Identity } from '../core/identity.js';
import { meetsGroups } from '../core/identity.js';
import type { ConnectionResource, DatabaseCredential } from '../core/resources.js';

type Caller = Pick<Identity, 'groups'>;

/** The first credential whose groups the caller meets: their order in the file is their rank. */
export function pickCredential(connection: ConnectionResource, caller: Caller): DatabaseCredential | undefined {
  return connection.credentials.find((credential) => meetsGroups(credential.groups, caller));
}

export function accessOf(connection: ConnectionResource): ConnectionSummary['access'] {
  return connection.access.approval === undefined ? 'open' : 'needs approval';
}

/** What the caller may use, by name. */
export function usableConnections(
  connections: readonly ConnectionResource[],
  caller: Caller,
): readonly ConnectionSummary[] {
  return connections
    .filter((connection) => isUsable(connection, caller))
    .map((connection) => ({
      name: connection.name,
      type: connection.type,
      access: accessOf(connection),
      database: connection.database,
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
export function connectionFor(
  connections: readonly ConnectionResource[],
  name: string,
  caller: Caller,
): { readonly connection: ConnectionResource; readonly credential: DatabaseCredential } {
  const connection = connections.find((one) => one.name === name);
  const credential = connection === undefined ? undefined : pickCredential(connection, caller);
  if (connection === undefined || credential === undefined || !isUsable(connection, caller)) {
    throw new HoopError('no_access', 'no connection of that name that you may use');
  }
  if (accessOf(connection) === 'needs approval') {
    throw new HoopError('not_allowed', 'access needs an approved request; not in this version');
  }
  return { connection, credential };
}

/** Access by group, and a credential to go with it. */
function isUsable(connection: ConnectionResource, caller: Caller): boolean {
  return meetsGroups(connection.access.groups, caller) && pickCredential(connection, caller) !== undefined;
}

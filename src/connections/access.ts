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

/**
 * Until when access to a connection is granted to the caller; undefined where it is not.
 *
 * @param credential name of the credential that they have on it
 */
export type AccessLookup = (connection: ConnectionResource, credential: string) => string | undefined;

const NOT_GRANTED: AccessLookup = () => undefined;

/** What the caller may use, by name. */
export function usableConnections(
  connections: readonly ConnectionResource[],
  caller: Caller,
  grantedUntil: AccessLookup = NOT_GRANTED,
): readonly ConnectionSummary[] {
  return connections
    .flatMap((connection) => permitted(connection, caller) ?? [])
    .map((found) => ({
      name: found.connection.name,
      type: found.connection.type,
      ...accessOf(found, grantedUntil),
      database: isHttpConnection(found.connection) ? '' : found.connection.database,
      labels: found.connection.labels,
    }))
    .sort((one, other) => (one.name < other.name ? -1 : 1));
}

function accessOf(found: Permitted, grantedUntil: AccessLookup): Pick<ConnectionSummary, 'access' | 'until'> {
  if (found.connection.access.approval === undefined) return { access: 'open' };
  const until = grantedUntil(found.connection, storedName(found));
  return until === undefined ? { access: 'needs approval' } : { access: 'granted until', until };
}

/** What the record and reviewers call the stored credential; never its value. */
export function storedName({ credential }: Pick<Permitted, 'credential'>): string {
  return 'username' in credential ? credential.username : credential.name;
}

/**
 * The connection of that name and the credential the caller uses on it, now.
 *
 * @throws HoopError as `permittedConnection`; `access_needed` where access itself needs an approved request
 */
export function connectionFor(
  connections: readonly ConnectionResource[],
  name: string,
  caller: Caller,
  grantedUntil: AccessLookup = NOT_GRANTED,
): Permitted {
  const found = permittedConnection(connections, name, caller);
  if (accessOf(found, grantedUntil).access === 'needs approval') throw accessNeeded(found.connection.name);
  return found;
}

/** What someone is told who needs an approved request first. */
export function accessNeeded(connection: string): HoopError {
  return new HoopError('access_needed', `access to ${connection} needs an approved request`, {
    suggestion: `ask with: hoop request ${connection} --duration 1h --reason TEXT`,
  });
}

/**
 * The same, whether or not access has been granted.
 *
 * @throws HoopError `no_access`, the same for a name that is not there and one that is not the caller's
 */
export function permittedConnection(
  connections: readonly ConnectionResource[],
  name: string,
  caller: Caller,
): Permitted {
  const found = findPermitted(connections, name, caller);
  if (found === undefined) throw new HoopError('no_access', 'no access to a connection of that name');
  return found;
}

/** The same; undefined where there is none that the caller may use. */
export function findPermitted(
  connections: readonly ConnectionResource[],
  name: string,
  caller: Caller,
): Permitted | undefined {
  const connection = connections.find((one) => one.name === name);
  return connection && permitted(connection, caller);
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

import { type AccessLookup, connectionFor } from '../../connections/access.js';
import { HoopError } from '../../core/errors.js';
import type { Identity } from '../../core/identity.js';
import { isHttpConnection, type ConnectionResource } from '../../core/resources.js';
import type { Caller } from '../sessions/session-host.js';

/** Connections as configured now, and to whom those that need it are granted now. */
export interface Reach {
  readonly connections: () => readonly ConnectionResource[];
  /** Until when connections that need an approved request are granted to someone. */
  readonly access: (identity: Identity) => AccessLookup;
}

/**
 * The caller with the connection and the credential that are theirs now: a tunnel, and what a program keeps open
 * through it, live longer than the configuration that let them in.
 *
 * @throws HoopError `no_access`, `access_needed`; `unreachable` where the connection is of another type by now
 */
export function currentCaller<Kind extends Caller>(caller: Kind, { connections, access }: Reach): Kind {
  const { identity, connection } = caller;
  const permitted = connectionFor(connections(), connection.name, identity, access(identity));
  if (isHttpConnection(permitted.connection) === isHttpConnection(connection)) return { ...caller, ...permitted };
  throw new HoopError('unreachable', 'the connection has changed; open it anew');
}

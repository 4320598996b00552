import type { Approvals } from '../../approvals/approvals.js';
import {
  type AccessLookup,
  accessNeeded,
  findPermitted,
  type Permitted,
  storedName,
} from '../../connections/access.js';
import type { Grant } from '../../core/approval.js';
import { HoopError } from '../../core/errors.js';
import type { Identity } from '../../core/identity.js';
import type { ConnectionResource } from '../../core/resources.js';
import { credentialName, type Caller, type LiveSession, type SessionAccess } from '../sessions/session-host.js';

/** Admin shutdown: clients know that the session was ended from outside. */
const ENDED_CODE = '57P01';

/** Until when access to connections is granted to someone. */
export function accessLookup(approvals: Approvals, requester: Identity): AccessLookup {
  return (connection, credential) => grantOf(approvals, requester, connection, credential)?.expiresAt;
}

/** What the record says of the access that a session is under. */
export function grantField(grant: Grant | undefined): { readonly grant?: string } {
  return grant === undefined ? {} : { grant: grant.id };
}

/** Who may use a connection now, and the end of sessions whose access is over: its time, or the files that gave it. */
export class AccessGuard implements SessionAccess {
  readonly #watched = new Map<LiveSession, Caller>();

  /** @param connections as configured now, whatever a caller was let in with */
  constructor(
    private readonly approvals: Approvals,
    private readonly connections: () => readonly ConnectionResource[],
  ) {}

  require(caller: Caller): Grant | undefined {
    const { connection } = this.#permitted(caller) ?? refuse();
    if (connection.access.approval === undefined) return undefined;
    const grant = grantOf(this.approvals, caller.identity, connection, credentialName(caller));
    if (grant === undefined) throw accessNeeded(connection.name);
    return grant;
  }

  watch(caller: Caller, session: LiveSession): () => void {
    this.#watched.set(session, caller);
    // It may have ended while the session was being opened.
    if (!this.#holds(caller)) queueMicrotask(() => this.#end(session, caller, ''));
    return () => {
      this.#watched.delete(session);
    };
  }

  /** A grant has ended: so do the sessions that nothing else allows. */
  ended(grant: Grant): void {
    const why = grant.state === 'revoked' ? `revoked by ${grant.endedBy}${after(grant.endReason)}` : 'its time is over';
    for (const [session, caller] of [...this.#watched]) {
      if (caller.connection.name === grant.connection && !this.#holds(caller)) this.#end(session, caller, why);
    }
  }

  recheck(): void {
    for (const [session, caller] of [...this.#watched]) {
      if (!this.#holds(caller)) this.#end(session, caller, 'the configuration of the agent has changed');
    }
  }

  /** With the credential that the session logs in with: one that the caller has no more is no access either. */
  #permitted(caller: Caller): Permitted | undefined {
    const found = findPermitted(this.connections(), caller.connection.name, caller.identity);
    return found !== undefined && storedName(found) === credentialName(caller) ? found : undefined;
  }

  #holds(caller: Caller): boolean {
    try {
      this.require(caller);
      return true;
    } catch {
      return false;
    }
  }

  #end(session: LiveSession, caller: Caller, why: string): void {
    if (!this.#watched.delete(session)) return;
    const { name } = caller.connection;
    const because = why === '' ? '' : ` (${why})`;
    const remedy = this.#permitted(caller) === undefined ? '' : `; ${accessNeeded(name).suggestion}`;
    session.terminate('revoked', ENDED_CODE, `access to ${name} ended${because}${remedy}`);
  }
}

function refuse(): never {
  throw new HoopError('no_access', 'no access to a connection of that name');
}

function after(reason: string): string {
  return reason === '' ? '' : `: ${reason}`;
}

function grantOf(
  approvals: Approvals,
  requester: Identity,
  { name: connection, access }: ConnectionResource,
  credential: string,
): Grant | undefined {
  return access.approval === undefined
    ? undefined
    : approvals.accessGrant({ connection, credential, requester, flow: access.approval });
}

import type { SessionStart } from '../../core/events.js';
import { grantField } from '../callers/access-guard.js';
import { credentialName, secretsUsed, type Caller, type SessionHost } from './session-host.js';

/**
 * What the record says first of a session.
 *
 * @param application what the client calls itself; empty where it doesn't say
 * @throws HoopError `access_needed` where the caller's access has ended
 */
export function sessionStart(
  { access }: Pick<SessionHost, 'access'>,
  caller: Caller,
  session: string,
  { application, database }: { readonly application: string; readonly database?: string },
): SessionStart {
  const { subject, email, groups, issuer, machine, attributes } = caller.identity;
  const { name, type, labels } = caller.connection;
  return {
    type: 'session.start',
    session,
    user: { subject, email, groups, issuer, machine, attributes },
    connection: { name, type, labels },
    credential: credentialName(caller),
    ...secretsUsed(caller),
    client: {
      address: caller.address,
      ...(application === '' ? {} : { application }),
      ...(database === undefined ? {} : { database }),
    },
    ...(caller.correlationId === '' ? {} : { correlationId: caller.correlationId }),
    ...grantField(access.require(caller)),
  };
}

import { HoopError } from '../../../core/errors.js';
import type { PostgresConnection } from '../../../core/resources.js';
import { scramVerifier } from '../../../protocols/postgres/opening/scram-verifier.js';
import { authenticationCrypto } from './authentication-crypto.js';
import { dialUpstream } from './dial-upstream.js';
import { ownQueries } from './own-query.js';

const TIMEOUT_MS = 15_000;
/** Before it a server would keep the verifier as if it were a password. */
const FIRST_WITH_SCRAM = 100_000;

export interface RoleLogin {
  readonly connection: PostgresConnection;
  readonly user: string;
  readonly password: string;
}

/**
 * Changes the password of the role that is logged in; only the verifier of the new one is sent.
 *
 * @throws HoopError `upstream_unreachable`: then nothing was changed, or nobody can say whether it was
 */
export async function changeRolePassword(login: RoleLogin, next: string): Promise<void> {
  const verifier = scramVerifier(next, authenticationCrypto);
  const results = await run(login, (before) => {
    if (before.length === 0) return 'SHOW server_version_num';
    const version = Number(before[0]?.[0]?.[0]);
    if (!(version >= FIRST_WITH_SCRAM)) return undefined;
    // The verifier is base64, `$` and `:`: nothing in it could end the literal.
    return before.length === 1 ? `ALTER ROLE CURRENT_USER PASSWORD '${verifier}'` : undefined;
  });
  if (results.length < 2)
    throw new HoopError('upstream_unreachable', 'the server is too old for SCRAM-SHA-256', {
      suggestion: 'change the password by hand, then run `hoop secrets set`',
    });
}

/** @throws HoopError `upstream_unreachable` */
export async function checkRolePassword(login: RoleLogin): Promise<void> {
  await run(login, (before) => (before.length === 0 ? 'SELECT 1' : undefined));
}

async function run(
  { connection, user, password }: RoleLogin,
  next: Parameters<typeof ownQueries>[2],
): ReturnType<typeof ownQueries> {
  const socket = await dialUpstream(connection);
  return ownQueries(socket, { credential: { user, password }, database: connection.database }, next, TIMEOUT_MS);
}

import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import { HoopError } from '../../core/errors.js';
import { keychain } from '../../identity/keychain.js';
import type { LoginPlace } from '../../identity/login-place.js';
import { keptInFile } from '../../identity/token-store.js';
import { peerCheck } from '../ports/peer.js';
import { asHoopError, type Check, failed, ok, skipped, warning } from './check.js';

/** An account that no login has: reading it opens the keychain and finds nothing. */
const PROBE = 'hoop doctor';
/** Variables that bring a token of their own, in the order in which they count. */
const GIVEN = ['HOOP_TOKEN', 'HOOP_TOKEN_FILE', 'HOOP_CLIENT_ID', 'ACTIONS_ID_TOKEN_REQUEST_URL'] as const;

/** Where are tokens kept, and can they be read? */
export async function checkKeychain(
  { env, folder }: Pick<LoginPlace, 'env' | 'folder'>,
  read: (account: string) => Promise<unknown> = (account) => keychain.read(account),
): Promise<Check> {
  const given = GIVEN.find((name) => (env[name] ?? '') !== '');
  if (given !== undefined) return skipped('keychain', `not used: ${given} brings the token`);
  const file = `tokens are kept in ${folder}, readable by you alone`;
  try {
    if (keptInFile(env)) return ok('keychain', `${file}: HOOP_KEYRING=file`);
  } catch (error) {
    return failed('keychain', asHoopError(error, 'failed', 'HOOP_KEYRING can’t be read'));
  }
  try {
    await read(PROBE);
    return ok('keychain', 'the system’s keychain answers');
  } catch {
    return warning(
      'keychain',
      `no keychain answers; ${file}`,
      'unlock or start the keychain (Linux: a Secret Service such as gnome-keyring), or set HOOP_KEYRING=file to be content with the file',
    );
  }
}

/** Can a local port be opened here, and does this system tell whose program is at its other end? */
export async function checkPort(): Promise<Check> {
  const server = createServer();
  let client: Socket | undefined;
  try {
    const check = peerCheck();
    await once(server.listen({ host: '127.0.0.1', port: 0 }), 'listening');
    const { port } = server.address() as AddressInfo;
    const arriving = once(server, 'connection') as Promise<[Socket]>;
    client = connect({ host: '127.0.0.1', port });
    const [arrived] = await arriving;
    const verdict = await check(arrived);
    arrived.destroy();
    if (verdict.admitted) return ok('port', 'local ports open, and are yours alone');
    throw new HoopError('failed', 'a local port does not recognise its own user', {
      why: verdict.why,
      suggestion: 'use `hoop connect --socket PATH`: the file belongs to you alone',
    });
  } catch (error) {
    return failed('port', asHoopError(error, 'failed', 'no local port can be opened'));
  } finally {
    client?.destroy();
    server.close();
  }
}

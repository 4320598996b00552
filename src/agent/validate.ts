import { HoopError } from '../core/errors.js';
import { loadMasterKey } from '../secrets/master-key.js';
import { createSecretResolver } from '../secrets/resolver.js';
import { readSecretFile } from '../secrets/secret-file.js';
import { missingAuthorities } from './resources/authority-files.js';
import { LiveResources } from './resources/live-resources.js';
import { missingSecrets } from './credentials/missing-secrets.js';
import { readTls } from './resources/tls-files.js';

export interface Validated {
  readonly connections: number;
  readonly policies: number;
}

/**
 * What a start would check before it opens anything: the resource files, and that every secret and
 * certificate they name is there. Nothing is listened on, opened or written.
 *
 * @throws HoopError `config_invalid`, as the start would
 */
export async function validateAgent(
  dir: string,
  env: Readonly<Record<string, string | undefined>>,
  warn: (message: string) => void,
): Promise<Validated> {
  const { agent, current } = await LiveResources.load(dir, env);
  const resolve = createSecretResolver({ env, readFile: readSecretFile, warn });
  await loadMasterKey(resolve, agent.masterKey);
  if (agent.listen.tls !== undefined) await readTls(agent.listen.tls);
  // The store is not opened here: `hoop secrets list` tells which of its own are missing.
  const [secret] = await missingSecrets(current.connections, resolve);
  if (secret !== undefined) throw named(`connection ${secret.connection}`, secret.error);
  const [authority] = await missingAuthorities(agent, current);
  if (authority !== undefined) throw named(authority.owner, authority.error);
  return { connections: current.connections.length, policies: current.policies.length };
}

function named(owner: string, error: HoopError): HoopError {
  return new HoopError(error.code, `${owner}: ${error.message}`, {
    ...(error.why === undefined ? {} : { why: error.why }),
    suggestion: error.suggestion,
  });
}

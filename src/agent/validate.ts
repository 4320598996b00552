import { HoopError } from '../core/errors.js';
import type { Credential, SecretRef } from '../core/resources.js';
import { loadMasterKey } from '../secrets/master-key.js';
import { createSecretResolver } from '../secrets/resolver.js';
import { readSecretFile } from '../secrets/secret-file.js';
import { LiveResources } from './live-resources.js';
import { readTls } from './tls-files.js';

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
  for (const { name, credentials } of current.connections) {
    for (const secret of credentials.flatMap(secretsOf)) {
      await resolve(secret).catch((error: unknown) => {
        if (!(error instanceof HoopError)) throw error;
        throw new HoopError(error.code, `connection ${name}: ${error.message}`, {
          ...(error.why === undefined ? {} : { why: error.why }),
          suggestion: error.suggestion,
        });
      });
    }
  }
  return { connections: current.connections.length, policies: current.policies.length };
}

function secretsOf(credential: Credential): readonly SecretRef[] {
  if ('headers' in credential) return Object.values(credential.headers);
  return credential.password === undefined ? [] : [credential.password];
}

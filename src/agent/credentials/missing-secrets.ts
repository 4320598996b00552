import { HoopError } from '../../core/errors.js';
import type { ConnectionResource } from '../../core/resources.js';
import { referencesOf } from '../../secrets/credential-secrets.js';
import type { SecretResolver } from '../../secrets/resolver.js';
import { missingAuthorities } from '../resources/authority-files.js';
import type { LiveResources } from '../resources/live-resources.js';
import type { AgentLog } from '../log.js';

/** A credential that can't be used as things are: its secret has no value, or not one that may be taken. */
export interface MissingSecret {
  readonly connection: string;
  /** `config_invalid`, without any value. */
  readonly error: HoopError;
}

/** Credentials whose secret is not there now. Those of the agent's own store are not asked for: it tells of them itself. */
export async function missingSecrets(
  connections: readonly Pick<ConnectionResource, 'name' | 'credentials'>[],
  resolve: SecretResolver,
): Promise<readonly MissingSecret[]> {
  const missing: MissingSecret[] = [];
  for (const { name, credentials } of connections)
    for (const secret of credentials.flatMap(referencesOf)) {
      if ('secret' in secret) continue;
      await resolve(secret).catch((error: unknown) => {
        if (!(error instanceof HoopError)) throw error;
        missing.push({ connection: name, error });
      });
    }
  return missing;
}

/**
 * Says what can't be used yet. That stops nothing: secrets and roots are read at the moment of use, and may come
 * later; but who starts an agent should not hear of it from the first caller.
 */
export async function warnOfMissing(
  { agent, current }: Pick<LiveResources, 'agent' | 'current'>,
  resolve: SecretResolver,
  log: Pick<AgentLog, 'warn'>,
): Promise<void> {
  const secrets = await missingSecrets(current.connections, resolve);
  const missing = [
    ...secrets.map(({ connection, error }) => ({ owner: `connection ${connection}`, error })),
    ...(await missingAuthorities(agent, current)),
  ];
  for (const { owner, error } of missing)
    log.warn(`${owner} can not be used yet: ${error.message}`, { why: error.why ?? '' });
}

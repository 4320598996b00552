import type { Clock } from '../../core/clock.js';
import { storedSecretsOf } from '../../secrets/credential-secrets.js';
import { createSecretResolver, type SecretResolver, type SecretResolverOptions } from '../../secrets/resolver.js';
import { readSecretFile } from '../../secrets/secret-file.js';
import { StoredSecrets } from '../../secrets/stored-secrets.js';
import type { Store } from '../../store/store.js';
import type { LiveResources } from '../resources/live-resources.js';
import type { AgentLog } from '../log.js';
import { PasswordRotation } from './password-rotation.js';
import { SecretDesk } from './secret-desk.js';
import { SecretUses } from './secret-uses.js';

/** The agent's secrets: how they are resolved, used, changed and taken away. */
export interface AgentSecrets {
  readonly resolve: SecretResolver;
  readonly uses: SecretUses;
  readonly rotation: PasswordRotation;
  readonly desk: SecretDesk;
}

/** Where secrets come from before the store is open, the master key among them. */
export function secretSources(
  env: Readonly<Record<string, string | undefined>>,
  log: Pick<AgentLog, 'warn'>,
): SecretResolverOptions {
  return {
    env,
    readFile: readSecretFile,
    warn: (message) => {
      log.warn(message);
    },
  };
}

export function openSecrets(
  sources: SecretResolverOptions,
  parts: { readonly store: Store; readonly live: LiveResources; readonly clock: Clock; readonly log: AgentLog },
): AgentSecrets {
  const { store, live, clock, log } = parts;
  const secrets = new StoredSecrets(store.secrets, clock);
  const uses = new SecretUses();
  const connections = (): LiveResources['current']['connections'] => live.current.connections;
  const rotation = new PasswordRotation({ secrets, connections, nowMs: () => clock.nowMs(), log });
  for (const { name, credentials } of connections())
    for (const secret of credentials.flatMap(storedSecretsOf))
      if (secrets.info(secret)?.revoked !== false)
        log.warn(`connection ${name} needs a secret that is not set`, { secret });
  return {
    resolve: createSecretResolver({ ...sources, providers: [secrets] }),
    uses,
    rotation,
    desk: new SecretDesk({ secrets, rotation, uses, connections, log }),
  };
}

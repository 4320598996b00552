import { readFileSync } from 'node:fs';
import { STARTER_AGENT, STARTER_CONNECTIONS, STARTER_IDENTITY } from './starter-texts.js';

/** A file of `hoop agent init DIR`; `path` is below DIR, `mode` its permissions. */
export interface StarterFile {
  readonly path: string;
  readonly content: string;
  readonly mode: number;
}

/** Only for the user that the agent runs as: the files name hosts, users and where secrets are. */
const PRIVATE = 0o600;

const POLICIES = ['standard-sql.yaml', 'standard-masking.yaml'];

/**
 * What `hoop agent init DIR` writes: commented resource files that load as they are once the
 * environment variables they name are set, the standard policies, and the master key.
 *
 * @param masterKey 32 fresh random bytes
 * @throws TypeError for a key of another length
 */
export function starterFiles(masterKey: Uint8Array): readonly StarterFile[] {
  if (masterKey.length !== 32) throw new TypeError('the master key is 32 bytes');
  return [
    { path: 'agent.yaml', content: STARTER_AGENT, mode: PRIVATE },
    { path: 'identity.yaml', content: STARTER_IDENTITY, mode: PRIVATE },
    { path: 'connections.yaml', content: STARTER_CONNECTIONS, mode: PRIVATE },
    ...POLICIES.map((name) => ({ path: `policies/${name}`, content: examplePolicy(name), mode: PRIVATE })),
    { path: 'master.key', content: `${Buffer.from(masterKey).toString('base64')}\n`, mode: PRIVATE },
  ];
}

/** The examples lie at the package's root: two levels above `src/config`, three above `dist/src/config`. */
function examplePolicy(name: string): string {
  const up = import.meta.url.endsWith('.ts') ? '../..' : '../../..';
  return readFileSync(new URL(`${up}/examples/policies/${name}`, import.meta.url), 'utf8');
}

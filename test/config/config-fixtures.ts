import { mkdir, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { formatFault } from '../../src/config/fault.js';
import { loadConfig, type LoadOptions } from '../../src/config/load.js';
import type { Env } from '../../src/config/expand-env.js';
import type { Resources } from '../../src/config/resources.js';
import { makeFolder } from '../support/folders.js';

/** The names that the standard masking policy uses, and one of a test. */
export const ENTITY_NAMES = [
  ...[
    'email',
    'credit-card',
    'us-ssn',
    'phone',
    'iban',
    'aws-access-key',
    'github-token',
    'openai-key',
    'anthropic-key',
  ],
  ...['stripe-key', 'google-api-key', 'slack-token', 'jwt', 'private-key'],
];

export interface Loaded {
  /** Formatted, the folder taken off. */
  readonly faults: readonly string[];
  readonly resources: Resources | undefined;
  readonly dir: string;
}

/** Writes files into a folder of their own, loads it, removes it. */
export async function load(
  files: Readonly<Record<string, string | Uint8Array>>,
  env: Env = {},
  options: Partial<LoadOptions> = {},
): Promise<Loaded> {
  const dir = makeFolder('config');
  try {
    for (const [name, content] of Object.entries(files)) {
      await mkdir(dirname(join(dir, name)), { recursive: true });
      await writeFile(join(dir, name), content);
    }
    return { ...(await loadFolder(dir, env, options)), dir };
  } finally {
    await rm(dir, { recursive: true });
  }
}

export async function loadFolder(
  dir: string,
  env: Env,
  options: Partial<LoadOptions> = {},
): Promise<Omit<Loaded, 'dir'>> {
  const result = await loadConfig(dir, env, { requireAgent: false, entityNames: ENTITY_NAMES, ...options });
  if ('resources' in result) return { faults: [], resources: result.resources };
  return {
    faults: result.faults.map((fault) => formatFault(fault).replaceAll(`${dir}/`, '').replaceAll(dir, '')),
    resources: undefined,
  };
}

/** A document of this kind, two lines of head before `spec`, which starts in line 4. */
export function resource(kind: string, name: string, spec: string): string {
  return `apiVersion: hoop/v1\nkind: ${kind}\nmetadata: { name: ${name} }\nspec:\n${spec}`;
}

import { formatFault, type ConfigFault } from '../../config/fault.js';
import { loadConfig } from '../../config/load.js';
import type { Resources } from '../../config/resources.js';
import type { PolicyTests } from '../../config/test-cases.js';
import { HoopError } from '../../core/errors.js';
import { BUILT_IN_ENTITY_NAMES } from '../../masking/text-masker.js';
import { faultText } from './fault-text.js';

type Env = Readonly<Record<string, string | undefined>>;

export interface LoadedPolicies {
  readonly resources: Resources;
  readonly tests: PolicyTests;
}

/**
 * Reads resource files as an agent's start would, tests included, and asks for no Agent or IdentityProvider.
 *
 * @param root a folder, or one file
 */
export async function readPolicies(
  root: string,
  env: Env,
): Promise<LoadedPolicies | { readonly faults: readonly ConfigFault[] }> {
  const loaded = await loadConfig(root, env, { requireAgent: false, entityNames: BUILT_IN_ENTITY_NAMES, tests: true });
  if ('faults' in loaded) return loaded;
  return isEmpty(loaded)
    ? { faults: [{ file: root, line: 1, column: 1, message: 'no resource file below it' }] }
    : loaded;
}

/**
 * The same for commands that need the files to hold.
 *
 * @throws HoopError `config_invalid`, every fault with its line
 */
export async function loadPolicies(root: string, env: Env): Promise<LoadedPolicies> {
  const read = await readPolicies(root, env);
  if (!('faults' in read)) return read;
  throw faultsError(read.faults, '`hoop policy validate DIR` shows each with its line');
}

/** The files as one failure: the first fault says why, `hoop policy validate` shows them all. */
export function faultsError(
  faults: readonly ConfigFault[],
  suggestion = 'correct the files at the places named',
): HoopError {
  const [first] = faults;
  const count = faults.length === 1 ? 'a fault' : `${String(faults.length)} faults`;
  return new HoopError('config_invalid', `the resource files have ${count}`, {
    ...(first === undefined ? {} : { why: formatFault(first) }),
    suggestion,
  });
}

/** Every fault with the line that it stands in. */
export function faultTexts(faults: readonly ConfigFault[]): Promise<readonly string[]> {
  return Promise.all(faults.map(faultText));
}

function isEmpty({ resources, tests }: LoadedPolicies): boolean {
  const { agent, identityProviders, connections, approvalFlows, entities, policies } = resources;
  const lists = [identityProviders, connections, approvalFlows, entities, policies, tests.cases];
  return agent === undefined && lists.every((list) => list.length === 0);
}

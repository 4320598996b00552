import { createHash } from 'node:crypto';
import { compilePolicies, type PolicySet } from '../policy/compile.js';
import type { Env } from './expand-env.js';
import type { ConfigFault } from './fault.js';
import { readConfigFiles } from './read-files.js';
import { isPolicyTest, readResource, type LoadedResource, type ResourceKind } from './read-resource.js';
import { referenceFaults } from './references.js';
import type { Resources } from './resources.js';
import { testsOf, type PolicyTests } from './test-cases.js';
import { readDocuments } from './yaml-documents.js';

export interface LoadOptions {
  /** Must there be one Agent and an IdentityProvider? False for checking policies alone. */
  readonly requireAgent: boolean;
  /** The built-in entities that masks may name. */
  readonly entityNames: readonly string[];
  /** Are PolicyTest resources wanted? A running agent has no use for them, and leaves them unread. */
  readonly tests?: boolean;
}

/**
 * Reads every resource file below a folder (or one file). All or nothing: where anything is wrong,
 * every fault found is given, in the order of the files.
 *
 * @param env what `${NAME}` in values stands for
 */
export async function loadConfig(
  root: string,
  env: Env,
  options: LoadOptions,
): Promise<
  { readonly resources: Resources; readonly tests: PolicyTests } | { readonly faults: readonly ConfigFault[] }
> {
  const read = await readConfigFiles(root);
  const faults = [...read.faults];
  const loaded: LoadedResource[] = [];
  for (const file of read.files) {
    const { documents, faults: yamlFaults } = readDocuments(file, env);
    faults.push(...yamlFaults);
    for (const document of documents) {
      if (options.tests !== true && isPolicyTest(document)) continue;
      const result = readResource(document);
      if ('faults' in result) faults.push(...result.faults);
      else loaded.push(result);
    }
  }
  // What another document could have defined is only judged where every document could be read.
  const whole = faults.length === 0;
  if (whole)
    faults.push(...referenceFaults(loaded, options.entityNames), ...countFaults(root, loaded, options.requireAgent));
  const policySet = compile(loaded, faults);
  if (faults.length > 0 || policySet === undefined) return { faults: inOrder(faults) };
  return { resources: collect(loaded, policySet), tests: testsOf(loaded) };
}

function compile(loaded: readonly LoadedResource[], faults: ConfigFault[]): PolicySet | undefined {
  const policies = loaded.filter((resource) => resource.kind === 'Policy');
  // A name taken twice is reported where it stands; compiling would only say it again.
  const distinct = policies.filter(
    ({ value }, index) => policies.findIndex((other) => other.value.name === value.name) === index,
  );
  const compiled = compilePolicies(
    distinct.map(({ value }) => value),
    (bytes) => createHash('sha256').update(bytes).digest(),
  );
  if ('set' in compiled) return compiled.set;
  for (const fault of compiled.faults) {
    const document = distinct.find(({ value }) => value.name === fault.policy)?.document;
    const named = fault.rule === '' ? fault.policy : `${fault.policy}/${fault.rule}`;
    if (document !== undefined)
      faults.push(document.fault(['spec', ...fault.path], `${named}: ${fault.message}`, { offset: fault.offset }));
  }
  return undefined;
}

function countFaults(root: string, loaded: readonly LoadedResource[], requireAgent: boolean): ConfigFault[] {
  const faults = loaded
    .filter((resource) => resource.kind === 'Agent')
    .slice(1)
    .map((resource) => resource.document.fault(['kind'], 'there is another Agent already; exactly one is possible'));
  const missing = (kind: ResourceKind): boolean => requireAgent && !loaded.some((resource) => resource.kind === kind);
  if (missing('Agent'))
    faults.push({ file: root, line: 1, column: 1, message: 'no Agent resource; exactly one is needed' });
  if (missing('IdentityProvider'))
    faults.push({ file: root, line: 1, column: 1, message: 'no IdentityProvider resource; at least one is needed' });
  return faults;
}

function inOrder(faults: readonly ConfigFault[]): ConfigFault[] {
  return [...faults].sort((left, right) =>
    left.file === right.file ? left.line - right.line || left.column - right.column : left.file < right.file ? -1 : 1,
  );
}

function collect(loaded: readonly LoadedResource[], policySet: PolicySet): Resources {
  return {
    agent: loaded.find((resource) => resource.kind === 'Agent')?.value,
    identityProviders: loaded.filter((resource) => resource.kind === 'IdentityProvider').map(({ value }) => value),
    connections: loaded.filter((resource) => resource.kind === 'Connection').map(({ value }) => value),
    approvalFlows: loaded.filter((resource) => resource.kind === 'ApprovalFlow').map(({ value }) => value),
    sinks: loaded.filter((resource) => resource.kind === 'Sink').map(({ value }) => value),
    entities: loaded.filter((resource) => resource.kind === 'Entity').map(({ value }) => value),
    policies: loaded.filter((resource) => resource.kind === 'Policy').map(({ value }) => value),
    policySet,
  };
}

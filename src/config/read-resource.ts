import { dirname } from 'node:path';
import type { z } from 'zod';
import {
  HTTP_TYPES,
  type AgentResource,
  type ApprovalFlowResource,
  type ConnectionResource,
  type EntityResource,
  type IdentityProviderResource,
  type SinkResource,
} from '../core/resources.js';
import { nearest } from '../core/nearest.js';
import { CONNECTION_TYPES, type PolicyDefinition } from '../policy/schema.js';
import type { ConfigFault } from './fault.js';
import { agentSchema, toAgent } from './kinds/agent.js';
import { approvalFlowSchema, toApprovalFlow } from './kinds/approval-flow.js';
import { connectionSchema, toConnection } from './kinds/connection.js';
import { entitySchema, toEntity } from './kinds/entity.js';
import { identityProviderSchema, toIdentityProvider } from './kinds/identity-provider.js';
import { policySchema, toPolicy } from './kinds/policy.js';
import { policyTestFileSchema, toPolicyTest, type PolicyTestResource } from './kinds/policy-test.js';
import { sinkSchema, toSink } from './kinds/sink.js';
import { isTestFile } from './read-files.js';
import { AT_KEY, faultsOfIssues } from './schema-faults.js';
import type { ConfigDocument, Path } from './yaml-documents.js';

/** One resource with the document it came from, for faults found later. */
export type LoadedResource = { readonly document: ConfigDocument } & (
  | { readonly kind: 'Agent'; readonly value: AgentResource }
  | { readonly kind: 'IdentityProvider'; readonly value: IdentityProviderResource }
  | { readonly kind: 'Connection'; readonly value: ConnectionResource }
  | { readonly kind: 'Policy'; readonly value: PolicyDefinition }
  | { readonly kind: 'ApprovalFlow'; readonly value: ApprovalFlowResource }
  | { readonly kind: 'Entity'; readonly value: EntityResource }
  | { readonly kind: 'Sink'; readonly value: SinkResource }
  | { readonly kind: 'PolicyTest'; readonly value: PolicyTestResource }
);

export type ResourceKind = LoadedResource['kind'];
export type ReadResult = LoadedResource | { readonly faults: readonly ConfigFault[] };

const READERS: Readonly<Record<ResourceKind, (document: ConfigDocument) => ReadResult>> = {
  Agent: (document) =>
    check(document, agentSchema, (found) => ({
      document,
      kind: 'Agent',
      value: toAgent(found, dirname(document.file)),
    })),
  IdentityProvider: (document) =>
    check(document, identityProviderSchema, (found) => ({
      document,
      kind: 'IdentityProvider',
      value: toIdentityProvider(found, dirname(document.file)),
    })),
  Connection: readConnection,
  Policy: (document) =>
    check(document, policySchema, (found) => ({ document, kind: 'Policy', value: toPolicy(found) })),
  ApprovalFlow: (document) =>
    check(document, approvalFlowSchema, (found) => ({ document, kind: 'ApprovalFlow', value: toApprovalFlow(found) })),
  Entity: (document) =>
    check(document, entitySchema, (found) => ({ document, kind: 'Entity', value: toEntity(found) })),
  Sink: (document) =>
    check(document, sinkSchema, (found) => ({ document, kind: 'Sink', value: toSink(found, dirname(document.file)) })),
  PolicyTest: readPolicyTest,
};

/** Is it tests, in a file for them? */
export function isPolicyTest({ file, value }: ConfigDocument): boolean {
  return isTestFile(file) && isMap(value) && value['kind'] === 'PolicyTest';
}

/** Reads one document as the resource that its `kind` says. */
export function readResource(document: ConfigDocument): ReadResult {
  const { value } = document;
  if (!isMap(value))
    return { faults: [document.fault([], 'expected a resource: a map with apiVersion, kind, metadata and spec')] };
  const kind = value['kind'];
  const misspelt = kind === undefined ? misspeltAs('kind', value) : undefined;
  if (misspelt !== undefined) return { faults: [misspeltKey(document, [], misspelt, 'kind')] };
  if (kind === undefined)
    return { faults: [document.fault([], `\`kind\` is missing: one of ${Object.keys(READERS).join(', ')}`)] };
  if (typeof kind !== 'string' || !Object.hasOwn(READERS, kind)) {
    const near = typeof kind === 'string' ? nearest(kind, Object.keys(READERS)) : undefined;
    return {
      faults: [document.fault(['kind'], `unknown kind${near === undefined ? '' : `; did you mean \`${near}\`?`}`)],
    };
  }
  // Nobody looks for rules that are in force among tests.
  if (isTestFile(document.file) && kind !== 'PolicyTest')
    return {
      faults: [document.fault(['kind'], 'a file that is named *.test.yaml holds resources of kind PolicyTest alone')],
    };
  return READERS[kind as ResourceKind](document);
}

/** Elsewhere the agent would read it, and have no use for it. */
function readPolicyTest(document: ConfigDocument): ReadResult {
  if (!isTestFile(document.file))
    return { faults: [document.fault(['kind'], 'kind `PolicyTest` belongs in a file that is named *.test.yaml')] };
  return check(document, policyTestFileSchema, (found) => ({
    document,
    kind: 'PolicyTest',
    value: toPolicyTest(found),
  }));
}

const SPOKEN_TYPES: readonly string[] = ['postgres', ...HTTP_TYPES];

/** A key that was meant to be the one that tells what the others may be. */
function misspeltAs(right: string, map: Readonly<Record<string, unknown>>): string | undefined {
  return Object.keys(map).find((key) => key !== right && nearest(key, [right]) !== undefined);
}

function misspeltKey(document: ConfigDocument, at: Path, key: string, right: string): ConfigFault {
  return document.fault([...at, key], `unknown key \`${key}\`; did you mean \`${right}\`?`, AT_KEY);
}

/** Types of later versions have other keys: one fault says so, instead of one for each key. */
function readConnection(document: ConfigDocument): ReadResult {
  const spec = isMap(document.value) ? document.value['spec'] : undefined;
  const type = isMap(spec) ? spec['type'] : undefined;
  if (typeof type === 'string' && !SPOKEN_TYPES.includes(type)) {
    if ((CONNECTION_TYPES as readonly string[]).includes(type))
      return { faults: [document.fault(['spec', 'type'], `connection type \`${type}\` is not in this version`)] };
    const near = nearest(type, CONNECTION_TYPES);
    return {
      faults: [
        document.fault(
          ['spec', 'type'],
          `unknown connection type${near === undefined ? '' : `; did you mean \`${near}\`?`}`,
        ),
      ],
    };
  }
  const misspelt = type === undefined && isMap(spec) ? misspeltAs('type', spec) : undefined;
  // Without its type nothing can be said of the other keys.
  if (misspelt !== undefined) return { faults: [misspeltKey(document, ['spec'], misspelt, 'type')] };
  return check(document, connectionSchema, (found) => ({
    document,
    kind: 'Connection',
    value: toConnection(found, dirname(document.file)),
  }));
}

function check<Schema extends z.ZodType>(
  document: ConfigDocument,
  schema: Schema,
  make: (found: z.output<Schema>) => LoadedResource,
): ReadResult {
  const result = schema.safeParse(document.value);
  return result.success ? make(result.data) : { faults: faultsOfIssues(document, schema, result.error.issues) };
}

function isMap(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

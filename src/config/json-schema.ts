import { z } from 'zod';
import { KEY_DESCRIPTIONS } from './key-descriptions.js';
import { agentSchema } from './kinds/agent.js';
import { approvalFlowSchema } from './kinds/approval-flow.js';
import { connectionSchema } from './kinds/connection.js';
import { entitySchema } from './kinds/entity.js';
import { identityProviderSchema } from './kinds/identity-provider.js';
import { policySchema } from './kinds/policy.js';
import { policyTestFileSchema } from './kinds/policy-test.js';
import { sinkSchema } from './kinds/sink.js';
import type { ResourceKind } from './read-resource.js';

type JsonSchema = Readonly<Record<string, unknown>>;

/** What reads the files; their JSON Schema comes out of the same source. */
const SCHEMAS: Readonly<Record<ResourceKind, z.ZodType>> = {
  Agent: agentSchema,
  IdentityProvider: identityProviderSchema,
  Connection: connectionSchema,
  Policy: policySchema,
  ApprovalFlow: approvalFlowSchema,
  Entity: entitySchema,
  Sink: sinkSchema,
  PolicyTest: policyTestFileSchema,
};

export const RESOURCE_KINDS = Object.keys(SCHEMAS) as readonly ResourceKind[];

const DIALECT = 'http://json-schema.org/draft-07/schema#';

/**
 * JSON Schema of one kind of resource, for editors and other tools: what may be written, before defaults are filled in.
 * What only code can check (a condition's types, a dangling name) is left to `hoop policy validate`.
 *
 * Draft 7, which the YAML language server reads.
 *
 * @see https://json-schema.org/draft-07
 */
export function kindSchema(kind: ResourceKind): JsonSchema {
  return { ...draft(kind), title: `hoop/v1 ${kind}` };
}

/** Of a document of any kind: chosen by its `kind`, so that an editor's words are about that one alone. */
export function anyKindSchema(): JsonSchema {
  return {
    $schema: DIALECT,
    title: 'hoop/v1 resources',
    type: 'object',
    required: ['apiVersion', 'kind', 'metadata'],
    properties: { apiVersion: { const: 'hoop/v1' }, kind: { enum: RESOURCE_KINDS } },
    allOf: RESOURCE_KINDS.map((kind) => ({
      if: { required: ['kind'], properties: { kind: { const: kind } } },
      then: { $ref: `#/definitions/${kind}` },
    })),
    definitions: Object.fromEntries(RESOURCE_KINDS.map((kind) => [kind, withoutDialect(draft(kind))])),
  };
}

function draft(kind: ResourceKind): JsonSchema {
  const options = { io: 'input', target: 'draft-7', unrepresentable: 'any', reused: 'inline' } as const;
  return described(z.toJSONSchema(SCHEMAS[kind], options), kind, '') as JsonSchema;
}

/** A copy with the description of each key. Afterwards, since one schema may stand at several places. */
function described(schema: unknown, kind: ResourceKind, place: string): unknown {
  if (Array.isArray(schema)) {
    const variants: readonly unknown[] = schema;
    return variants.map((variant) => described(variant, kind, place));
  }
  if (typeof schema !== 'object' || schema === null) return schema;
  const inner = Object.entries(schema).map(([key, value]: [string, unknown]): [string, unknown] => {
    if (key === 'properties') return [key, eachProperty(value as JsonSchema, kind, place)];
    if (key === 'items') return [key, described(value, kind, `${place}[]`)];
    return [key, key === 'anyOf' || key === 'oneOf' || key === 'allOf' ? described(value, kind, place) : value];
  });
  const copy = Object.fromEntries(inner) as Record<string, unknown>;
  const description = KEY_DESCRIPTIONS[`${kind} ${place}`];
  return description === undefined ? copy : { description, ...copy };
}

function eachProperty(properties: JsonSchema, kind: ResourceKind, place: string): JsonSchema {
  const prefix = place === '' ? '' : `${place}.`;
  return Object.fromEntries(
    Object.entries(properties).map(([name, schema]) => [name, described(schema, kind, `${prefix}${name}`)]),
  );
}

function withoutDialect({ $schema: _dialect, ...schema }: JsonSchema): JsonSchema {
  return schema;
}

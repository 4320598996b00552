import { z } from 'zod';
import { HTTP_TYPES } from '../core/resources.js';
import { limitSchema } from './schema-limit.js';
import { groupsSchema, nameSchema } from './schema-names.js';
import { ACTIONS, columnSchema, pathSchema, policyTestSchema } from './schema-tests.js';

export { groupsSchema, nameSchema };

/** Connection types that the contract knows; a rule may match on those of later versions too. */
export const CONNECTION_TYPES = [
  'postgres',
  'mysql',
  'http',
  'openai',
  'anthropic',
  'mcp',
  'ssh',
  'kubernetes',
  'tcp',
] as const;

/** Names that a verdict uses for what no written rule decided. */
export const IMPLICIT_RULES = { opaque: 'opaque', unparsable: 'unparsable', byDefault: 'default' } as const;

const matchSchema = z.strictObject({
  connections: z
    .array(z.string().min(1))
    .min(1, 'expected at least one pattern; leave the key out to match every connection')
    .optional(),
  types: z.array(z.enum(CONNECTION_TYPES)).min(1, 'expected at least one type').optional(),
  labels: z.record(z.string(), z.string()).optional(),
  groups: groupsSchema.optional(),
});

const ruleSchema = z
  .strictObject({
    name: nameSchema.refine(
      (name) => !Object.values<string>(IMPLICIT_RULES).includes(name),
      'this name is reserved for what no written rule decides',
    ),
    when: z.string().min(1).max(10_000),
    action: z.enum(ACTIONS),
    message: z.string().max(1_000).optional(),
    approval: nameSchema.optional(),
  })
  .superRefine((rule, issues) => {
    if (rule.action === 'approve' && rule.approval === undefined) {
      issues.addIssue({
        code: 'custom',
        path: [],
        message: 'a rule with action approve needs `approval`, the name of an ApprovalFlow',
      });
    }
    if (rule.action !== 'approve' && rule.approval !== undefined) {
      issues.addIssue({ code: 'custom', path: ['approval'], message: '`approval` belongs to action approve alone' });
    }
  });

const maskSchema = z
  .strictObject({
    name: nameSchema,
    entities: z.array(z.string().min(1)).min(1, 'expected at least one entity').optional(),
    columns: z.array(columnSchema).min(1, 'expected at least one column').optional(),
    paths: z.array(pathSchema).min(1, 'expected at least one path').optional(),
    // YAML reads a bare `null` as nothing.
    strategy: z
      .enum(['null', 'redact', 'replace', 'hash', 'partial'])
      .nullable()
      .transform((strategy) => strategy ?? 'null'),
    with: z.string().max(1_000).optional(),
    reversible: z.boolean().optional(),
    on: z
      .array(z.enum(['requests', 'answers']))
      .min(1, 'expected requests, answers or both')
      .default(['answers']),
    exceptGroups: groupsSchema.optional(),
  })
  .superRefine((mask, issues) => {
    if (mask.entities === undefined && mask.columns === undefined && mask.paths === undefined) {
      issues.addIssue({ code: 'custom', path: [], message: 'a mask needs `entities`, `columns` or `paths`' });
    }
    if (mask.strategy === 'replace' && mask.with === undefined) {
      issues.addIssue({ code: 'custom', path: [], message: 'strategy replace needs `with`, the text to put there' });
    }
    if (mask.strategy !== 'replace' && mask.with !== undefined) {
      issues.addIssue({ code: 'custom', path: ['with'], message: '`with` belongs to strategy replace alone' });
    }
    if (mask.reversible !== undefined && mask.strategy !== 'hash' && !mask.on.includes('requests')) {
      issues.addIssue({
        code: 'custom',
        path: ['reversible'],
        message: '`reversible` belongs to strategy hash, or to a mask on requests',
      });
    }
  });

/** Connection types whose traffic is requests that can be counted. */
const LIMITED_TYPES: readonly string[] = HTTP_TYPES;

/** `spec` of kind Policy, defaults filled in. */
export const policySpecSchema = z
  .strictObject({
    match: matchSchema.default({}),
    mode: z.enum(['enforce', 'observe']).default('enforce'),
    default: z.enum(['allow', 'block']).default('allow'),
    opaque: z.enum(['allow', 'block']).default('block'),
    inference: z.enum(['allow', 'block']).default('block'),
    writeBack: z.enum(['allow', 'block']).default('block'),
    rules: z.array(ruleSchema).default([]),
    mask: z.array(maskSchema).default([]),
    limits: z.array(limitSchema).default([]),
    tests: z.array(policyTestSchema).default([]),
  })
  .superRefine((policy, issues) => {
    const { types } = policy.match;
    if (policy.limits.length > 0 && types?.every((type) => !LIMITED_TYPES.includes(type)) === true)
      issues.addIssue({
        code: 'custom',
        path: ['limits'],
        params: { at: 'key' },
        message: `limits count requests of the types ${LIMITED_TYPES.join(', ')}, and \`match.types\` has none of them`,
      });
  });

export type PolicySpec = z.output<typeof policySpecSchema>;
export type RuleDefinition = PolicySpec['rules'][number];
export type MaskDefinition = PolicySpec['mask'][number];

/** One Policy resource as its file says. */
export interface PolicyDefinition extends PolicySpec {
  readonly name: string;
}

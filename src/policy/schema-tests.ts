import { z } from 'zod';
import { parseColumnPattern } from './column-pattern.js';
import { parseJsonPath } from './json-path.js';
import { nameSchema } from './schema-names.js';

export const ACTIONS = ['block', 'approve', 'warn', 'allow'] as const;

export const columnSchema = z.string().refine((text) => parseColumnPattern(text) !== undefined, {
  message: 'expected `[schema.]table.column`, where `*` stands for one whole part',
});

export const pathSchema = z
  .string()
  .max(1_000)
  .refine((text) => parseJsonPath(text) !== undefined, {
    message: 'expected a path such as `$.customer.ssn`, `$.items[*].email` or `$..password`, of at most 30 steps',
  });

/** Who asks: left out, a person in the groups that the policy names; in a file of tests in none. */
export const testUserSchema = z.strictObject({
  subject: z.string().optional(),
  email: z.string().optional(),
  groups: z.array(z.string()).optional(),
  attributes: z.record(z.string(), z.unknown()).optional(),
  issuer: z.string().optional(),
  machine: z.boolean().optional(),
});

/** Through what: a Connection of these files by its name, or one that is made up here. */
export const testConnectionSchema = z.union([
  nameSchema,
  z.strictObject({
    name: nameSchema.optional(),
    type: z.string().min(1).optional(),
    labels: z.record(z.string(), z.string()).optional(),
  }),
]);

const moment = z.string().refine((text) => /^\d{4}-\d{2}-\d{2}T/.test(text) && !Number.isNaN(Date.parse(text)), {
  message: 'expected a moment such as 2026-03-02T09:30:00Z',
});

/** What every test may say of the moment, the caller and the way. */
export const testContextKeys = {
  user: testUserSchema.optional(),
  connection: testConnectionSchema.optional(),
  /** What `now` is. */
  at: moment.optional(),
  /** What `session.clientAddress` is. */
  from: z.string().optional(),
};

const ruleRef = z
  .string()
  .regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,62}(?:\/[A-Za-z0-9][A-Za-z0-9._-]{0,62})?$/, 'expected RULE or POLICY/RULE');

const judged = {
  /** What the report calls it; left out, what it sends. */
  name: z.string().min(1).max(200).optional(),
  ...testContextKeys,
  expect: z.enum(ACTIONS),
  rule: ruleRef.optional(),
};

const cell = z.union([z.string(), z.number(), z.boolean(), z.null()]);
const rows = z.array(z.record(z.string(), cell)).min(1, 'expected at least one row');

/** Rows that the server would give, and what of them the client gets. */
const sqlTestSchema = z
  .strictObject({
    sql: z.string(),
    params: z.array(z.string().nullable()).optional(),
    rows: rows.optional(),
    output: rows.optional(),
    ...judged,
  })
  .refine(({ rows: given, output }) => (given === undefined) === (output === undefined), {
    message: '`rows` and `output` belong together: what the server gives, and what of it the client gets',
  });

/** What a model request sends, all of it in the newest message. */
const promptTestSchema = z.strictObject({
  prompt: z.string(),
  /** How often it stands there: for rules on its size. */
  repeat: z.int().min(1).max(1_000_000).optional(),
  model: z.string().optional(),
  tools: z.array(z.string()).optional(),
  ...judged,
});

const requestTestSchema = z
  .strictObject({
    request: z.strictObject({
      method: z.string().min(1).default('GET'),
      path: z.string().startsWith('/', 'expected a path that begins with `/`'),
      query: z.record(z.string(), z.string()).default({}),
      headers: z.record(z.string(), z.string()).default({}),
      /** Text; a value is sent as JSON. */
      body: z.unknown().optional(),
    }),
    /** What the upstream would answer, as text or as a value in JSON, and what of it the client gets. */
    answer: z.unknown().optional(),
    output: z.unknown().optional(),
    ...judged,
  })
  .refine(({ answer, output }) => (answer === undefined) === (output === undefined), {
    message: '`answer` and `output` belong together: what the upstream answers, and what of it the client gets',
  });

const maskTestSchema = z.strictObject({
  text: z.string(),
  /** Where it stands: a column of the result, or a place in a JSON body. */
  column: columnSchema.optional(),
  path: pathSchema.optional(),
  name: z.string().min(1).max(200).optional(),
  ...testContextKeys,
  expect: z.enum(['mask', 'pass']),
  mask: ruleRef.optional(),
  /** What the client gets; null for NULL. */
  output: z.string().nullable().optional(),
});

/** One entry of `tests`, in a policy or in a file of tests. */
export const policyTestSchema = z.union([sqlTestSchema, promptTestSchema, requestTestSchema, maskTestSchema]);

export type PolicyTest = z.output<typeof policyTestSchema>;
export type SqlTest = z.output<typeof sqlTestSchema>;
export type PromptTest = z.output<typeof promptTestSchema>;
export type RequestTest = z.output<typeof requestTestSchema>;
export type MaskTest = z.output<typeof maskTestSchema>;
export type TestUser = z.output<typeof testUserSchema>;
export type TestConnection = z.output<typeof testConnectionSchema>;

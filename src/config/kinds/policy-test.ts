import { z } from 'zod';
import { policyTestSchema, testContextKeys, type PolicyTest } from '../../policy/schema-tests.js';
import { envelope } from './envelope.js';

const qualifiedName = z
  .string()
  .regex(/^[^.]{1,63}(?:\.[^.]{1,63})?$/, 'expected NAME or SCHEMA.NAME, as the database stores it');

const columnsSchema = z.union([
  z.array(z.string().min(1)).transform((names) => names.map((name) => ({ name, type: 'text' }))),
  z
    .record(z.string().min(1), z.string().min(1))
    .transform((types) => Object.entries(types).map(([name, type]) => ({ name, type }))),
]);

/** What is known of the database that statements are tested against; what is left out does not exist. */
const databaseSchema = z.strictObject({
  searchPath: z.array(z.string().min(1)).default(['public']),
  tables: z
    .record(
      qualifiedName,
      z.strictObject({
        columns: columnsSchema,
        /** As the planner last counted them. */
        rows: z.number().int().min(0).default(0),
      }),
    )
    .default({}),
  /** The query of each. */
  views: z.record(qualifiedName, z.string().min(1)).default({}),
  functions: z
    .record(
      qualifiedName,
      z.strictObject({
        language: z.string().min(1).default('sql'),
        body: z.string(),
        arguments: z.number().int().min(0).max(100).default(0),
      }),
    )
    .default({}),
});

export const policyTestFileSchema = envelope(
  'PolicyTest',
  z.strictObject({
    ...testContextKeys,
    database: databaseSchema.optional(),
    tests: z.array(policyTestSchema).min(1, 'expected at least one test'),
  }),
);

export type TestDatabase = z.output<typeof databaseSchema>;

/** Tests of all policies of a folder together. What stands beside `tests` holds for each that says nothing else. */
export interface PolicyTestResource {
  readonly name: string;
  readonly user?: z.output<typeof policyTestFileSchema>['spec']['user'];
  readonly connection?: z.output<typeof policyTestFileSchema>['spec']['connection'];
  readonly at?: string | undefined;
  readonly from?: string | undefined;
  readonly database?: TestDatabase | undefined;
  readonly tests: readonly PolicyTest[];
}

export function toPolicyTest(resource: z.output<typeof policyTestFileSchema>): PolicyTestResource {
  return { name: resource.metadata.name, ...resource.spec };
}

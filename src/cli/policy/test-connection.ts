import type { Resources } from '../../config/resources.js';
import type { TestCase } from '../../config/test-cases.js';
import { HTTP_TYPES } from '../../core/resources.js';
import type { PolicyDefinition } from '../../policy/schema.js';
import type { TestUser } from '../../policy/schema-tests.js';
import type { Context } from '../../policy/types.js';

const MODEL_TYPES = ['openai', 'anthropic'] as const;

/**
 * The connection that a test goes through: the one that it, or its file, names; else one that the policy matches, of a
 * type that has what the test sends.
 */
export function testConnection(one: TestCase, resources: Resources): Context['connection'] {
  const given = one.test.connection ?? one.suite?.connection;
  if (typeof given === 'string') {
    const found = resources.connections.find(({ name }) => name === given);
    if (found !== undefined) return { name: found.name, type: found.type, labels: found.labels };
  }
  const match = ownPolicy(one, resources)?.match ?? {};
  const made = typeof given === 'object' ? given : {};
  return {
    name: made.name ?? (match.connections?.[0]?.replaceAll('*', '') || 'any'),
    type: made.type ?? typeFor(one.test, match.types),
    labels: made.labels ?? match.labels ?? {},
  };
}

/** Who asks. A policy's own test is asked by someone that the policy is for. */
export function testUser(one: TestCase, resources: Resources): TestUser {
  const groups = ownPolicy(one, resources)?.match.groups?.filter((group) => group !== '*') ?? [];
  return { groups, ...one.suite?.user, ...one.test.user };
}

function ownPolicy({ policy }: TestCase, { policies }: Resources): PolicyDefinition | undefined {
  return policies.find(({ name }) => name === policy);
}

function typeFor(test: TestCase['test'], types: readonly string[] | undefined): string {
  const fitting: readonly string[] =
    'prompt' in test
      ? MODEL_TYPES
      : 'request' in test || ('path' in test && test.path !== undefined)
        ? HTTP_TYPES
        : 'sql' in test || test.column !== undefined
          ? ['postgres']
          : ['postgres', ...HTTP_TYPES];
  return types?.find((type) => fitting.includes(type)) ?? types?.[0] ?? (fitting[0] as string);
}

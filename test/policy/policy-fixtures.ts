import { createHash } from 'node:crypto';
import type { DecisionContext } from '../../src/policy/bound-facts.js';
import { compilePolicies, type PolicyFault, type PolicySet } from '../../src/policy/compile.js';
import { policySpecSchema, type PolicyDefinition } from '../../src/policy/schema.js';
import type { Facts, SqlFacts } from '../../src/policy/types.js';

export const sha256 = (bytes: Uint8Array): Uint8Array => createHash('sha256').update(bytes).digest();

/** A definition as its file would give it, defaults filled in. */
export function policy(name: string, spec: Record<string, unknown>): PolicyDefinition {
  return { name, ...policySpecSchema.parse(spec) };
}

export function setOf(...definitions: readonly PolicyDefinition[]): PolicySet {
  const compiled = compilePolicies(definitions, sha256);
  if ('faults' in compiled) throw new Error(compiled.faults.map((fault) => fault.message).join('; '));
  return compiled.set;
}

export function faultsOf(...definitions: readonly PolicyDefinition[]): readonly PolicyFault[] {
  const compiled = compilePolicies(definitions, sha256);
  return 'faults' in compiled ? compiled.faults : [];
}

export function contextOf(
  changes: {
    groups?: readonly string[];
    connection?: string;
    type?: string;
    labels?: Record<string, string>;
    attributes?: Record<string, unknown>;
    startedAt?: string;
  } = {},
): DecisionContext {
  return {
    user: {
      subject: 'u1',
      email: 'ann@example.com',
      groups: changes.groups ?? ['engineering'],
      attributes: changes.attributes ?? {},
      issuer: 'https://id.example.com',
      machine: false,
      mayReview: true,
      expiresAt: 1_900_000_000,
    },
    connection: {
      name: changes.connection ?? 'postgres',
      type: changes.type ?? 'postgres',
      labels: changes.labels ?? {},
    },
    session: {
      id: '018f4c2e-7b1a-7c3d-9e5f-0123456789ab',
      correlationId: '',
      startedAt: changes.startedAt ?? '2026-03-01T10:00:00.000000Z',
    },
    nowMs: Date.UTC(2026, 2, 1, 12),
  };
}

export function sqlFacts(changes: Partial<SqlFacts> = {}): Facts {
  const effects = changes.effects ?? ['select'];
  const unqualified = changes.unqualified ?? [];
  return {
    sql: {
      text: 'SELECT 1',
      kind: effects[0] ?? 'select',
      effects,
      reads: [],
      writes: [],
      functions: [],
      unqualified,
      unqualifiedWrite: unqualified.length > 0,
      opaque: false,
      opaqueReason: '',
      statements: 1,
      params: [],
      ...changes,
    },
  };
}

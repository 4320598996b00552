import { FACT_TYPES, NOW, type FactGroup } from './fact-types.js';
import type { Context, Facts } from './types.js';

/** What an expression is evaluated over: one object for each fact group that exists, and the time. */
export type BoundFacts = { readonly [group in FactGroup]?: object } & { readonly [NOW]: Date };

type RecordClass = new (fields: object) => object;

/** CEL tells types apart by constructor, so each group has a class of its own. */
function recordClass(): RecordClass {
  return class {
    constructor(fields: object) {
      Object.assign(this, fields);
    }
  };
}

/** The class of each fact group. */
export const RECORDS = Object.fromEntries(Object.keys(FACT_TYPES).map((group) => [group, recordClass()])) as Readonly<
  Record<FactGroup, RecordClass>
>;

/** The class of an element of `sql.reads` and `sql.writes`. */
export const ObjectNameFacts: RecordClass = recordClass();

/** The context of one decision: who asks, and when. */
export interface DecisionContext extends Context {
  /** Milliseconds since the epoch. */
  readonly nowMs: number;
}

/**
 * Turns facts into the values of CEL: whole numbers to int, RFC 3339 to timestamp.
 *
 * @throws RangeError where the session's start is no date: a condition on time must not pass for it
 */
export function bindFacts(context: DecisionContext, facts: Facts): BoundFacts {
  const startedAt = new Date(context.session.startedAt);
  const now = new Date(context.nowMs);
  if (Number.isNaN(startedAt.getTime()) || Number.isNaN(now.getTime()))
    throw new RangeError('a moment that is no date');
  const bound: { -readonly [group in FactGroup]?: object } & { [NOW]: Date } = {
    [NOW]: now,
    user: new RECORDS.user(context.user),
    connection: new RECORDS.connection(context.connection),
    session: new RECORDS.session({ clientAddress: '', ...context.session, startedAt }),
  };
  if (facts.sql !== undefined) bound.sql = sqlRecord(facts.sql);
  for (const group of ['http', 'llm', 'mcp', 'ssh', 'k8s'] as const) {
    const fields = facts[group];
    if (fields !== undefined) bound[group] = new RECORDS[group](fields);
  }
  return bound;
}

function sqlRecord(sql: NonNullable<Facts['sql']>): object {
  const { params } = sql;
  const record = new RECORDS.sql({
    ...sql,
    unbounded: sql.unbounded ?? false,
    reads: sql.reads.map((name) => new ObjectNameFacts(name)),
    writes: sql.writes.map((name) => new ObjectNameFacts(name)),
    statements: BigInt(sql.statements),
    stacked: BigInt(sql.stacked ?? sql.statements),
  });
  // Bound values may be large: they are made only where a condition reads them.
  if (typeof params === 'function') Object.defineProperty(record, 'params', { get: params, enumerable: true });
  return record;
}

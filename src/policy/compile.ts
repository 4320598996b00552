import { canonicalJson } from '../core/canonical-json.js';
import type { JsonPathPattern } from '../core/json-path.js';
import type { ColumnPattern, Strategy } from '../core/mask.js';
import { parseColumnPattern } from './column-pattern.js';
import { compileExpression, type Expression } from './expression.js';
import { parseJsonPath } from './json-path.js';
import { SPANS, type LimitDefinition, type LIMIT_KEYS } from './schema-limit.js';
import type { MaskDefinition, PolicyDefinition, RuleDefinition } from './schema.js';
import type { Action, LimitAmount } from './types.js';

export interface CompiledRule {
  readonly name: string;
  readonly action: Action;
  readonly message: string;
  readonly flow: string | undefined;
  readonly condition: Expression;
}

export interface CompiledMask {
  readonly name: string;
  readonly entities: readonly string[];
  readonly columns: readonly ColumnPattern[];
  readonly paths: readonly JsonPathPattern[];
  readonly strategy: Strategy;
  readonly with: string;
  readonly reversible: boolean;
  readonly on: { readonly requests: boolean; readonly answers: boolean };
  readonly exceptGroups: readonly string[];
}

export interface CompiledLimit {
  readonly name: string;
  readonly message: string;
  readonly per: readonly (typeof LIMIT_KEYS)[number][];
  readonly groups: readonly string[] | undefined;
  /** Lower-case. */
  readonly models: readonly string[] | undefined;
  readonly amounts: readonly LimitAmount[];
  /** Does it need to know the model, or how much is sent to it? */
  readonly readsBody: boolean;
}

export interface CompiledPolicy {
  readonly name: string;
  readonly match: PolicyDefinition['match'];
  readonly observed: boolean;
  readonly blocksByDefault: boolean;
  readonly allowsOpaque: boolean;
  readonly allowsWriteBack: boolean;
  readonly inference: 'allow' | 'block';
  readonly rules: readonly CompiledRule[];
  readonly masks: readonly CompiledMask[];
  readonly limits: readonly CompiledLimit[];
  /** Does a rule name `sql`? Then its statements have to be parsed. */
  readonly readsSql: boolean;
  /** Does a rule name bound values, or an approval that is bound to them? */
  readonly readsParams: boolean;
}

/** All policies of an agent, ready to decide. Immutable: a reload makes another. */
export interface PolicySet {
  readonly policies: readonly CompiledPolicy[];
  /** Hex SHA-256 over the canonical definitions; neither order nor `tests` changes it. */
  readonly hash: string;
  /** What was hashed: the definitions as canonical JSON, for those who keep what was in force. */
  readonly source: string;
  /** No rule reads bound values or the time: the same text of the same session always meets the same verdict. */
  readonly steady: boolean;
  /** No rule reads the session: the same text of the same caller meets the same verdict in every session. */
  readonly sessionless: boolean;
}

/** What is wrong with one policy. */
export interface PolicyFault {
  readonly policy: string;
  /** Empty where the fault is the policy's own. */
  readonly rule: string;
  /** Where in `spec`, e.g. `['rules', 2, 'when']`. */
  readonly path: readonly (string | number)[];
  /** Counts UTF-16 units inside the value at `path`. */
  readonly offset: number;
  readonly message: string;
}

const DEFAULT_MESSAGES: Readonly<Record<Action, string>> = {
  block: 'not allowed here',
  approve: 'needs approval',
  warn: 'allowed, but noted',
  allow: '',
};

/**
 * Checks definitions and makes them ready to decide. All or nothing: every fault is listed.
 *
 * @param sha256 passed in, so that this room stays pure
 */
export function compilePolicies(
  definitions: readonly PolicyDefinition[],
  sha256: (bytes: Uint8Array) => Uint8Array,
): { readonly set: PolicySet } | { readonly faults: readonly PolicyFault[] } {
  const faults: PolicyFault[] = [];
  const names = new Set<string>();
  const policies = definitions.map((definition) => {
    if (names.has(definition.name))
      faults.push({
        policy: definition.name,
        rule: '',
        path: [],
        offset: 0,
        message: 'a policy of this name exists already',
      });
    names.add(definition.name);
    return compilePolicy(definition, faults);
  });
  if (faults.length > 0) return { faults };
  const conditions = policies.flatMap((policy) => policy.rules.map((rule) => rule.condition));
  const source = sourceOf(definitions);
  const steady = conditions.every((condition) => !condition.readsParams && !condition.readsNow);
  const sessionless = conditions.every((condition) => !condition.readsSession);
  const hash = hexOf(sha256(new TextEncoder().encode(source)));
  return { set: { policies: sortByName(policies), hash, source, steady, sessionless } };
}

function compilePolicy(definition: PolicyDefinition, faults: PolicyFault[]): CompiledPolicy {
  const repeated = [
    ...repeatedNames(definition.name, 'rules', definition.rules),
    ...repeatedNames(definition.name, 'mask', definition.mask),
    ...repeatedNames(definition.name, 'limits', definition.limits),
    ...limitsLikeRules(definition),
  ];
  faults.push(...repeated);
  const rules: CompiledRule[] = [];
  definition.rules.forEach((rule, index) => {
    const compiled = compileExpression(rule.when);
    if ('expression' in compiled) rules.push(compileRule(rule, compiled.expression));
    else faults.push({ policy: definition.name, rule: rule.name, path: ['rules', index, 'when'], ...compiled.fault });
  });
  return {
    name: definition.name,
    match: definition.match,
    observed: definition.mode === 'observe',
    blocksByDefault: definition.default === 'block',
    allowsOpaque: definition.opaque === 'allow',
    allowsWriteBack: definition.writeBack === 'allow',
    inference: definition.inference,
    rules,
    masks: definition.mask.map(compileMask),
    limits: definition.limits.map(compileLimit),
    readsSql: rules.some((rule) => rule.condition.groups.includes('sql')),
    readsParams: rules.some((rule) => rule.condition.readsParams || rule.action === 'approve'),
  };
}

function repeatedNames(
  policy: string,
  list: 'rules' | 'mask' | 'limits',
  entries: readonly { readonly name: string }[],
): PolicyFault[] {
  return entries.flatMap((entry, index) => {
    const first = entries.findIndex((other) => other.name === entry.name);
    if (first === index) return [];
    return [
      {
        policy,
        rule: entry.name,
        path: [list, index, 'name'],
        offset: 0,
        message: `\`${entry.name}\` is named twice in this policy`,
      },
    ];
  });
}

/** The record names both as `policy/name`. */
function limitsLikeRules({ name, rules, limits }: PolicyDefinition): PolicyFault[] {
  return limits.flatMap((limit, index) =>
    rules.some((rule) => rule.name === limit.name)
      ? [
          {
            policy: name,
            rule: limit.name,
            path: ['limits', index, 'name'],
            offset: 0,
            message: `\`${limit.name}\` is the name of a rule of this policy`,
          },
        ]
      : [],
  );
}

function compileRule(rule: RuleDefinition, condition: Expression): CompiledRule {
  return {
    name: rule.name,
    action: rule.action,
    message: rule.message ?? DEFAULT_MESSAGES[rule.action],
    flow: rule.approval,
    condition,
  };
}

function compileMask(mask: MaskDefinition): CompiledMask {
  return {
    name: mask.name,
    entities: mask.entities ?? [],
    columns: (mask.columns ?? []).map((text) => checked(parseColumnPattern(text))),
    paths: (mask.paths ?? []).map((text) => checked(parseJsonPath(text))),
    strategy: mask.strategy,
    with: mask.with ?? '',
    reversible: mask.reversible ?? false,
    on: { requests: mask.on.includes('requests'), answers: mask.on.includes('answers') },
    exceptGroups: mask.exceptGroups ?? [],
  };
}

function compileLimit(limit: LimitDefinition): CompiledLimit {
  const amounts = (['requests', 'tokens', 'spend'] as const).flatMap((kind) =>
    Object.entries(SPANS).flatMap(([key, span]): LimitAmount[] => {
      const most = limit[kind]?.[key as keyof typeof SPANS];
      return most === undefined ? [] : [{ kind, span, most }];
    }),
  );
  const per = limit.per ?? [];
  return {
    name: limit.name,
    message: limit.message ?? '',
    per,
    groups: limit.groups,
    models: limit.models?.map((pattern) => pattern.toLowerCase()),
    amounts,
    readsBody:
      limit.models !== undefined || per.includes('model') || amounts.some((amount) => amount.kind !== 'requests'),
  };
}

function checked<Pattern>(pattern: Pattern | undefined): Pattern {
  if (pattern === undefined) throw new TypeError('a pattern that the schema should have refused');
  return pattern;
}

function sourceOf(definitions: readonly PolicyDefinition[]): string {
  const deciding = sortByName(definitions).map((definition) => {
    const { tests: _tests, limits, ...rest } = definition;
    const limited = limits.length === 0 ? {} : { limits: sortByName(limits) };
    return { ...rest, ...limited, rules: sortByName(rest.rules), mask: sortByName(rest.mask) };
  });
  return canonicalJson(deciding);
}

function hexOf(digest: Uint8Array): string {
  return Array.from(digest, (byte) => byte.toString(16).padStart(2, '0')).join('');
}

function sortByName<Named extends { readonly name: string }>(entries: readonly Named[]): Named[] {
  return [...entries].sort((left, right) => (left.name < right.name ? -1 : left.name > right.name ? 1 : 0));
}

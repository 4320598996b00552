import { serialize, type ASTNode } from '@marcbachmann/cel-js';
import type { BoundFacts } from './bound-facts.js';
import { prepare } from './expression.js';
import { childrenOf } from './expression-tree.js';
import { VARIABLES } from './fact-types.js';

/** One part of a condition, and the parts of it that decided. */
export interface TracedPart {
  /** In CEL. */
  readonly text: string;
  /** Undefined where it could not be evaluated. */
  readonly value: boolean | undefined;
  /** Why it could not; empty where it could. */
  readonly error: string;
  /** What it read, for parts that are not taken further apart. */
  readonly facts: readonly { readonly name: string; readonly value: unknown }[];
  /** Only those without which the answer would be another. */
  readonly because: readonly TracedPart[];
}

/** Lists in a fact are shown in another place: of each so many items stand here. */
const MAX_ITEMS = 20;

/**
 * Why a condition holds or doesn't: of `&&`, `||`, `!` and `? :` the operands that decided, down to what can't be
 * taken further apart; of `exists` and `all` the items that did.
 *
 * @param text a condition that compiles
 */
export function traceExpression(text: string, facts: BoundFacts): TracedPart {
  return trace(prepare(text).ast, facts);
}

function trace(node: ASTNode, facts: BoundFacts): TracedPart {
  const text = serialize(node);
  const { value, error } = evaluate(text, facts);
  const holds = typeof value === 'boolean' ? value : undefined;
  const because = decidingParts(node, holds).map((part) => trace(part, facts));
  return {
    text,
    value: holds,
    error: holds === undefined && error === '' ? 'neither true nor false' : error,
    facts: because.length > 0 ? [] : readFacts(node, holds, facts),
    because,
  };

  /** Of a failed operand the failure is what decided, whichever it stands beside. */
  function decidingParts(of: ASTNode, result: boolean | undefined): readonly ASTNode[] {
    if (of.op === '!_') return [of.args];
    if (of.op === '?:') {
      const [condition, yes, no] = of.args;
      const chosen = evaluate(serialize(condition), facts).value;
      return chosen === undefined ? [condition] : [condition, chosen === true ? yes : no];
    }
    if (of.op !== '&&' && of.op !== '||') return [];
    const operands = operandsOf(of, of.op);
    const alone = of.op === '||';
    const known = operands.map((operand) => evaluate(serialize(operand), facts).value);
    const same = operands.filter((_, index) => known[index] === result);
    // One is enough for a true `||` and a false `&&`; the other way round it takes all of them.
    return result === alone ? same.slice(0, 1) : result === undefined ? same.slice(0, 1) : operands;
  }
}

/** `a && b && c` is one thing to its reader. */
function operandsOf(node: ASTNode, operator: '&&' | '||'): readonly ASTNode[] {
  return node.op === operator ? node.args.flatMap((operand) => operandsOf(operand, operator)) : [node];
}

function evaluate(text: string, facts: BoundFacts): { readonly value: unknown; readonly error: string } {
  try {
    return { value: prepare(text).run(facts), error: '' };
  } catch (error) {
    const summary = (error as { readonly summary?: unknown }).summary;
    const message = typeof summary === 'string' ? summary : error instanceof Error ? error.message : 'failed';
    return { value: undefined, error: (message.split('\n')[0] ?? '').toLowerCase() };
  }
}

function readFacts(node: ASTNode, holds: boolean | undefined, facts: BoundFacts): TracedPart['facts'] {
  const names = new Set(factNames(node));
  const items = itemsOf(node, holds);
  if (items !== undefined) names.add(items);
  return [...names].flatMap((name) => {
    const { value, error } = evaluate(name, facts);
    return error === '' ? [{ name, value: shown(value) }] : [];
  });
}

/** `sql.effects`, `http.headers["x-team"]`, `now`: as far as it is a fact and no variable of a macro. */
function factNames(node: ASTNode): string[] {
  if (node.op === 'id') return node.args === 'now' ? ['now'] : [];
  if ((node.op === '.' || node.op === '[]') && rootOf(node) !== undefined) {
    const key = node.op === '[]' ? node.args[1] : undefined;
    return key === undefined || key.op === 'value'
      ? [serialize(node)]
      : [...factNames(node.args[0]), ...factNames(key)];
  }
  return childrenOf(node).flatMap(factNames);
}

function rootOf(node: ASTNode): string | undefined {
  if (node.op === 'id') return VARIABLES.includes(node.args) ? node.args : undefined;
  return node.op === '.' || node.op === '[]' ? rootOf(node.args[0]) : undefined;
}

/** The items that made an `exists` true or an `all` false, as an expression; undefined for anything else. */
function itemsOf(node: ASTNode, holds: boolean | undefined): string | undefined {
  if (node.op !== 'rcall') return undefined;
  const [name, list, [variable, condition]] = node.args;
  const wanted = name === 'exists' ? true : name === 'all' ? false : undefined;
  if (wanted === undefined || wanted !== holds || variable === undefined || condition === undefined) return undefined;
  const met = wanted ? serialize(condition) : `!(${serialize(condition)})`;
  return `${serialize(list)}.filter(${serialize(variable)}, ${met})`;
}

/** As JSON can tell it. */
function shown(value: unknown): unknown {
  if (typeof value === 'bigint') return Number(value);
  if (value instanceof Date) return value.toISOString();
  if (Array.isArray(value)) return value.slice(0, MAX_ITEMS).map(shown);
  if (value instanceof Map) return shown(Object.fromEntries(value));
  if (typeof value === 'object' && value !== null)
    return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, shown(inner)]));
  return value;
}

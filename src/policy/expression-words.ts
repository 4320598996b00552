import type { ASTNode } from '@marcbachmann/cel-js';
import { nearest } from '../core/nearest.js';
import { EFFECTS, UNQUALIFIED } from '../core/sql-effects.js';
import type { ExpressionFault } from './expression-fault.js';
import { childrenOf } from './expression-tree.js';

/** Facts that are one of, or a list of, words that are all known. */
const WORDS: Readonly<Record<string, { readonly words: readonly string[]; readonly called: string }>> = {
  effects: { words: EFFECTS, called: 'effect' },
  kind: { words: EFFECTS, called: 'kind of statement' },
  unqualified: { words: UNQUALIFIED, called: 'word of `sql.unqualified`' },
};

const WALKS: ReadonlySet<string> = new Set(['all', 'exists', 'exists_one', 'filter', 'map']);
const COMPARES: ReadonlySet<string> = new Set(['==', '!=', 'in']);

/**
 * A misspelt word that one of these facts is compared with: the rule would never be met, and nobody would hear of it. A
 * word that is like none of them is meant to be what it is.
 */
export function misspeltWord(root: ASTNode): ExpressionFault | undefined {
  return within(root, new Map());
}

type Variables = ReadonlyMap<string, keyof typeof WORDS>;

function within(node: ASTNode, variables: Variables): ExpressionFault | undefined {
  if (COMPARES.has(node.op)) {
    const [left, right] = childrenOf(node);
    const fault = compared(left, right, variables) ?? compared(right, left, variables);
    if (fault !== undefined) return fault;
  }
  const inner = walked(node, variables);
  for (const child of childrenOf(node)) {
    const fault = within(child, inner);
    if (fault !== undefined) return fault;
  }
  return undefined;
}

/** `sql.effects.exists(e, …)`: in it `e` is an effect. */
function walked(node: ASTNode, variables: Variables): Variables {
  if (node.op !== 'rcall' || !WALKS.has(node.args[0])) return variables;
  const [variable] = node.args[2];
  if (variable?.op !== 'id') return variables;
  const known = factOf(node.args[1], variables);
  const inner = new Map(variables);
  // Another list's items by the same name are none of these.
  if (known === undefined) inner.delete(variable.args);
  else inner.set(variable.args, known);
  return inner;
}

function factOf(node: ASTNode | undefined, variables: Variables): string | undefined {
  if (node?.op === 'id') return variables.get(node.args);
  if (node?.op !== '.') return undefined;
  const [owner, field] = node.args;
  return owner.op === 'id' && owner.args === 'sql' && Object.hasOwn(WORDS, field) ? field : undefined;
}

function compared(
  fact: ASTNode | undefined,
  other: ASTNode | undefined,
  variables: Variables,
): ExpressionFault | undefined {
  const known = WORDS[factOf(fact, variables) ?? ''];
  if (known === undefined || other === undefined) return undefined;
  for (const literal of other.op === 'list' ? childrenOf(other) : [other]) {
    if (literal.op !== 'value' || typeof literal.args !== 'string' || known.words.includes(literal.args)) continue;
    // No word at all is what a fact is that tells nothing.
    if (literal.args === '') continue;
    const near = nearest(literal.args, known.words);
    if (near === undefined) continue;
    const message = `unknown ${known.called} \`${literal.args}\`; did you mean \`${near}\`?`;
    return { message, offset: literal.range.start };
  }
  return undefined;
}

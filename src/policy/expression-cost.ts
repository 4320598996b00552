import type { ASTNode, Environment } from '@marcbachmann/cel-js';
import { childrenOf } from './expression-tree.js';

/** Puts its argument to the account and gives it back. No condition may name it. */
export const COST = 'hoopCost';

/**
 * Most that one evaluation may do beside a walk over each list that it names: steps through lists and maps within a
 * walk, and so many characters of a text for one. Well under a second on a slow machine.
 */
const MAX_STEPS = 300_000;
const CHARACTERS_PER_STEP = 128;

const WALKS: ReadonlySet<string> = new Set(['all', 'exists', 'exists_one', 'map', 'filter']);

/** What one evaluation has left. */
export class CostAccount {
  #left = MAX_STEPS;

  /** @throws RangeError for too much work, and whatever evaluating throws */
  around<Answer>(evaluate: () => Answer): Answer {
    this.#left = MAX_STEPS;
    const answer = evaluate();
    if (this.#left < 0) throw new RangeError('too much work for one condition');
    return answer;
  }

  /** Gives conditions of this environment the function. */
  register(environment: Environment): void {
    environment.registerFunction(
      `${COST}(dyn): dyn`,
      (value: unknown) => {
        this.#left -= stepsOf(value);
        return this.#left < 0 ? nothingLike(value) : value;
      },
      { async: false },
    );
  }
}

/** What costs no more work: `exists` and `all` go on behind an error, so that one would not end them. */
function nothingLike(value: unknown): unknown {
  if (typeof value === 'string') return '';
  if (Array.isArray(value)) return [];
  return value instanceof Map || value instanceof Set ? new Map() : value;
}

function stepsOf(value: unknown): number {
  if (typeof value === 'string') return 1 + Math.floor(value.length / CHARACTERS_PER_STEP);
  if (Array.isArray(value)) return 1 + value.length;
  if (value instanceof Map || value instanceof Set) return 1 + value.size;
  return 1;
}

/**
 * The same condition, with all that is done again and again put to the account: what is walked, searched or read within
 * the body of a walk over a list. Callers choose how long the lists of their statements and requests are; a walk within
 * a walk over two long ones would hold every session up.
 *
 * @param ast of the text
 * @returns undefined where nothing is done more than once
 */
export function countedText(text: string, ast: ASTNode): string | undefined {
  const places: { readonly at: number; readonly put: string }[] = [];
  const count = ({ range: { start, end } }: ASTNode): void => {
    places.push({ at: start, put: `${COST}(` }, { at: end, put: ')' });
  };
  const visit = (node: ASTNode, within: boolean): void => {
    if (within && node.op === 'rcall' && !isConstant(node.args[1])) count(node.args[1]);
    if (within && node.op === 'in' && !isConstant(node.args[1])) count(node.args[1]);
    if (node.op === 'rcall' && WALKS.has(node.args[0])) {
      visit(node.args[1], within);
      for (const body of node.args[2]) visit(body, true);
      return;
    }
    for (const part of childrenOf(node)) visit(part, within);
  };
  visit(ast, false);
  if (places.length === 0) return undefined;
  // From behind, so that places in front stay true; of two at one place the one that was found first is the outer.
  const order = places.map((place, found) => ({ ...place, found }));
  order.sort(
    (one, other) => other.at - one.at || (one.put === ')' ? one.found - other.found : other.found - one.found),
  );
  return order.reduce((put, { at, put: what }) => put.slice(0, at) + what + put.slice(at), text);
}

/** A list that is written out costs what its author made it cost; `cel` is no value. */
function isConstant(node: ASTNode): boolean {
  if (node.op === 'id') return node.args === 'cel';
  return node.op === 'value' || (node.op === 'list' && node.args.every(isConstant));
}

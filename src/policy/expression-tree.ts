import type { ASTNode } from '@marcbachmann/cel-js';

/** The parts of an expression, in order. */
export function childrenOf(node: ASTNode): ASTNode[] {
  if (node.op === 'value' || node.op === 'id') return [];
  const found: ASTNode[] = [];
  const collect = (part: unknown): void => {
    if (Array.isArray(part)) part.forEach(collect);
    else if (typeof part === 'object' && part !== null && 'op' in part) found.push(part as ASTNode);
  };
  collect(node.args);
  return found;
}

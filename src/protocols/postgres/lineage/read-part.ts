import { inside, itemsOf } from '../facts/tree.js';
import type { BodyPart } from './body-parts.js';
import type { Reading } from './reading.js';
import type { Output } from './scope.js';

/** `BEGIN ATOMIC … END` holds a list of lists; `RETURN …` stands alone. */
export function bodyStatements(value: unknown): readonly unknown[] {
  return itemsOf(value).flatMap((item) => (inside(item, 'List') === undefined ? [item] : bodyStatements(item)));
}

/** Reads one part; its output where it has one. */
export function readPart(body: Reading, part: BodyPart): Output | undefined {
  const returned = inside(part.statement, 'ReturnStmt');
  const statement = returned === undefined ? part.statement : selectOf(returned['returnval']);
  const read = body.statement(statement);
  if (read.makes !== undefined) body.findings.made.push(read.makes);
  return read.output ?? read.copies;
}

function selectOf(value: unknown): unknown {
  return { SelectStmt: { targetList: [{ ResTarget: { val: value } }] } };
}

import type { ObjectName, SqlFacts } from '../../../src/policy/types.js';
import type { Seen, SeenRelation } from './server-oracle.js';

/** A difference between what the server did and what the facts say. */
export interface Difference {
  readonly side: 'miss' | 'excess';
  readonly kind: string;
  readonly detail: string;
}

/** Effects that may stand for rows that came, changed or went. */
const INSERTS = ['insert', 'merge', 'copy-in', 'create', 'refresh', 'update', 'alter'];
const UPDATES = ['update', 'merge'];
const DELETES = ['delete', 'merge', 'update', 'refresh'];
/**
 * Kinds of what goes without anything being dropped in the sense of the rules: what a publication lists, an entry of
 * default privileges, or an index that is made anew.
 */
const NOT_DROPPED = new Set(['default value', 'index', 'publication relation', 'publication namespace', 'default acl']);

/** Everything the server did that the facts do not say. */
export function missesOf(facts: SqlFacts, seen: Seen): Difference[] {
  const found: Difference[] = [];
  const miss = (kind: string, detail: string): void => void found.push({ side: 'miss', kind, detail });
  const has = (effects: readonly string[]): boolean => effects.some((effect) => facts.effects.includes(effect));
  for (const [rows, effects, verb] of [
    [seen.inserted, INSERTS, 'insert'],
    [seen.updated, UPDATES, 'update'],
    [seen.deleted, DELETES, 'delete'],
  ] as const) {
    for (const relation of rows) if (!names(facts.writes, relation)) miss('writes', `${verb} ${relation.name}`);
    if (rows.length > 0 && !has(effects)) miss('effects', verb);
  }
  const known = [...facts.reads, ...facts.writes];
  for (const relation of seen.scanned) if (!names(known, relation)) miss('reads', relation.name);
  for (const tag of new Set(seen.commands)) if (!tagIsSaid(tag, facts)) miss('effects', tag);
  for (const kind of new Set(seen.dropped))
    if (!NOT_DROPPED.has(kind) && !has(kind === 'trigger' ? ['drop', 'alter'] : ['drop']))
      miss('effects', `dropped ${kind}`);
  return found;
}

/** What the facts claim and can't have happened; the statement succeeded. */
export function excessesOf(
  facts: SqlFacts,
  seen: Seen,
  unknown: ReadonlySet<string>,
  spell: (name: ObjectName) => string,
): Difference[] {
  const excess = (kind: string, detail: string): Difference => ({ side: 'excess', kind, detail });
  const found = [...facts.reads, ...facts.writes]
    .filter((name) => unknown.has(spell(name)))
    .map((name) => excess(facts.writes.includes(name) ? 'writes' : 'reads', `no relation: ${spell(name)}`));
  const claimed = (effect: string): boolean => facts.effects.includes(effect);
  const silent = seen.commands.length === 0 && seen.dropped.length === 0;
  const shared = claimed('role-admin') || claimed('stored-code') || claimed('owner');
  if (claimed('drop') && silent && !shared && !/\bif\s+exists\b|\bdrop\s+owned\b/i.test(facts.text))
    found.push(excess('effects', 'drop'));
  return found;
}

function names(list: readonly ObjectName[], relation: SeenRelation): boolean {
  return list.some(({ name }) => relation.names.includes(name));
}

/** Is a command tag of an event trigger said by the effects? */
function tagIsSaid(tag: string, facts: SqlFacts): boolean {
  const [verb = ''] = tag.toLowerCase().split(' ');
  const says = (...effects: string[]): boolean => effects.some((effect) => facts.effects.includes(effect));
  switch (verb) {
    case 'create':
    case 'import':
      return (
        says('create', 'stored-code', 'extension', 'outbound') || (/ (index|sequence)$/i.test(tag) && says('alter'))
      );
    case 'select':
      return says('create');
    case 'alter':
      return says('alter', 'owner', 'grant', 'revoke', 'create', 'drop');
    case 'grant':
    case 'revoke':
      // DROP OWNED takes rights away too.
      return says('grant', 'revoke', 'drop');
    case 'refresh':
      return says('refresh');
    case 'security':
    case 'comment':
      // CREATE TABLE … (LIKE … INCLUDING COMMENTS)
      return says('comment', 'other', 'create');
    case 'drop':
      return says('drop');
    default:
      return says('create', 'alter', 'other');
  }
}

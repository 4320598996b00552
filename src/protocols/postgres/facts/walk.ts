import type { RowEvent } from '../../../policy/types.js';
import type { Effect } from './effects.js';
import { catalogueWrite, dangerOf, FILE_VIEWS, SETTINGS_VIEW, showsOthers } from './dangerous-functions.js';
import { Findings } from './findings.js';
import { parsePlpgsql, parseSql } from './grammar.js';
import type { Parsed } from './grammar.js';
import { OverBounds } from './over-bounds.js';
import type { CteScope } from './row-sources.js';
import { findCte } from './row-sources.js';
import { inside, isNode, listAt, objectName, tagged } from './tree.js';
import type { TreeNode } from './tree.js';

/** Where in the tree a node stands. */
export interface Place {
  readonly ctes: CteScope | undefined;
  /** False below a plain EXPLAIN. */
  readonly executes: boolean;
  /** A query around it, or its own, returns or reads part of the rows only. */
  readonly bounded?: boolean;
  /** The setting whose row of pg_settings the query around it gives, and no other. */
  readonly setting?: string | undefined;
  /** Inside the text of a DO, function or procedure body. */
  readonly inBody: boolean;
  /** Parameters and variables around it. */
  readonly names: ReadonlySet<string>;
  /** The text of the statement it belongs to. */
  readonly source: () => string;
}

export type Handler = (walk: Walk, node: TreeNode, place: Place) => void;

/** Syntax levels; PostgreSQL's own parser gives up at about two thousand of the deepest kinds. */
const MAX_DEPTH = 1_500;
/** Texts parsed for one message: the message itself and what stands in bodies. */
const MAX_PARSES = 5_000;
const MAX_PARSED_CHARS = 32 * 1024 * 1024;

/** Fields of a concrete type, which the tree leaves untagged. */
const UNTAGGED: Readonly<Record<string, string>> = {
  larg: 'SelectStmt',
  rarg: 'SelectStmt',
  funccall: 'FuncCall',
  setstmt: 'VariableSetStmt',
};

interface Effort {
  depth: number;
  parses: number;
  chars: number;
}

/**
 * Goes through a tree and gathers findings. Every node is reached: a handler says what a node means
 * and goes on to what is below it; nodes without a handler are passed through.
 */
export class Walk {
  readonly findings = new Findings();

  constructor(
    private readonly handlers: Readonly<Record<string, Handler>>,
    private readonly effort: Effort = { depth: 0, parses: 0, chars: 0 },
  ) {}

  /** A walk whose findings are kept apart, under the same bounds. */
  fork(): Walk {
    return new Walk(this.handlers, this.effort);
  }

  /** One whole statement; a kind that is not known can't be judged. */
  statement(value: unknown, place: Place): void {
    const found = tagged(value);
    if (found === undefined || this.handlers[found.type] === undefined) {
      this.findings.effects.add('other');
      this.findings.opaque('a statement of an unknown kind');
    }
    this.visit(value, place);
  }

  visit(value: unknown, place: Place): void {
    const found = tagged(value);
    if (found === undefined) this.untagged('', value, place);
    else this.enter(found.type, found.node, place);
  }

  /** Everything below a node, but for the fields named. */
  below(node: TreeNode, place: Place, except: readonly string[] = []): void {
    this.descend();
    for (const field in node) {
      const value = node[field];
      if (typeof value !== 'object' || value === null || except.includes(field)) continue;
      if (Array.isArray(value)) for (const item of value) this.visit(item, place);
      else {
        const found = tagged(value);
        if (found === undefined) this.untagged(field, value, place);
        else this.enter(found.type, found.node, place);
      }
    }
    this.effort.depth -= 1;
  }

  /** Does nothing below a plain EXPLAIN, which executes nothing. */
  effect(place: Place, ...effects: readonly Effect[]): void {
    if (place.executes) for (const effect of effects) this.findings.effects.add(effect);
  }

  reads(relation: TreeNode, place: Place): void {
    const name = objectName(relation);
    if (name.schema === '' && findCte(place.ctes, name.name) !== undefined) return;
    this.findings.reads(name);
    if (FILE_VIEWS.has(name.name)) this.findings.effects.add('server-file');
    if (showsOthers(name.schema, name.name))
      this.findings.opaque('statistics or TOAST tables, which hold values of any table');
  }

  /**
   * A changed relation; WITH names never stand for one. Below a plain EXPLAIN it is only looked at.
   *
   * @param sets columns that an UPDATE sets; undefined where it may be any
   */
  writes(relation: TreeNode, place: Place, events: readonly RowEvent[] = [], sets?: readonly string[]): void {
    const name = objectName(relation);
    if (!place.executes) return this.findings.reads(name);
    this.findings.writes(name);
    // What is called so is taken for the server's own where names of settings are read from it.
    if (name.name === SETTINGS_VIEW) this.findings.opaque('a relation called pg_settings');
    if (events.length === 0) return;
    this.findings.uses.target({ name, events, ...(sets === undefined ? {} : { sets }) });
    const effects = name.name === SETTINGS_VIEW ? undefined : catalogueWrite(name.schema, name.name, sets);
    if (effects === undefined) return;
    this.effect(place, ...effects);
    this.findings.opaque('a change of the catalogue itself');
  }

  /**
   * A function that is called or made callable.
   *
   * What it is known to do counts below a plain EXPLAIN too: the planner runs what is declared stable.
   */
  calls(names: readonly string[], argumentCount: number | undefined): void {
    const name = names.join('.').toLowerCase();
    this.findings.functions.add(name);
    this.findings.uses.call({ schema: names.at(-2) ?? '', name: names.at(-1) ?? '', count: argumentCount });
    const danger = dangerOf(name, argumentCount);
    if (danger === undefined) return;
    for (const effect of danger.effects) this.findings.effects.add(effect);
    if (danger.opaqueReason !== '') this.findings.opaque(danger.opaqueReason);
  }

  /** Parses text found in the message, within the message's bounds. */
  parseSql(text: string): Parsed {
    this.spend(text);
    return parseSql(text);
  }

  /** As `parsePlpgsql`, within the message's bounds. */
  parsePlpgsql(statement: string, body: string): Parsed {
    this.spend(statement);
    return parsePlpgsql(statement, body);
  }

  private spend(text: string): void {
    this.effort.parses += 1;
    this.effort.chars += text.length;
    if (this.effort.parses > MAX_PARSES || this.effort.chars > MAX_PARSED_CHARS)
      throw new OverBounds('bodies too large to read');
  }

  private untagged(field: string, value: unknown, place: Place): void {
    if (!isNode(value)) return;
    if (typeof value['relname'] === 'string') this.enter('RangeVar', value, place);
    else this.enter(UNTAGGED[field] ?? '', value, place);
  }

  private enter(type: string, node: TreeNode, place: Place): void {
    const handler = this.handlers[type];
    if (handler === undefined) this.below(node, place);
    else handler(this, node, place);
  }

  private descend(): void {
    this.effort.depth += 1;
    if (this.effort.depth > MAX_DEPTH) throw new OverBounds('nested too deeply to read');
  }
}

/** The RangeVars in a field that holds one, or a list of them. */
export function relationsAt(node: TreeNode, field: string): readonly TreeNode[] {
  const value = node[field];
  if (isNode(value)) return [inside(value, 'RangeVar') ?? value];
  return listAt(node, field).flatMap((item) => {
    const relation = inside(item, 'RangeVar');
    return relation === undefined ? [] : [relation];
  });
}

import type { ObjectName, RowEvent, SqlFacts } from '../../../policy/types.js';
import type { Catalog, CatalogRelation, CatalogTrigger, NameLookup } from '../catalog/types.js';
import { relationsFor } from '../facts/resolve.js';

/** Most tables that are told of. */
const MAX_TABLES = 50;

export interface ReachedTable {
  readonly oid: number;
  readonly name: string;
  readonly via: 'statement' | 'cascade' | 'trigger' | 'partition' | 'other';
  /** Rows of it may change. */
  readonly changed: boolean;
}

/** The tables that a statement reads or changes, and what the catalogue knows of the way there. */
export interface Reached {
  readonly tables: readonly ReachedTable[];
  /** One line each: triggers that fire, cascades followed. */
  readonly notes: readonly string[];
}

type Event = CatalogTrigger['events'][number];

/**
 * Follows a statement from the tables that it names through foreign keys and triggers.
 *
 * @param basis facts of its text alone
 * @param facts the same completed from this catalogue
 */
export function reachedTables(basis: SqlFacts, facts: SqlFacts, catalog: Catalog, lookup: NameLookup): Reached {
  const reach = new Reach(catalog);
  for (const { name, events, sets } of basis.uses?.targets ?? [])
    for (const relation of relationsFor(catalog, name, lookup))
      for (const event of events) reach.change(relation, event, sets, 'statement');
  const named = (names: readonly ObjectName[], via: ReachedTable['via'], changed: boolean): void => {
    for (const name of names)
      for (const relation of relationsFor(catalog, name, lookup)) reach.add(relation, via, changed);
  };
  named(basis.writes, 'statement', true);
  named(basis.reads, 'statement', false);
  const rest = reach.firesTriggers ? 'trigger' : 'other';
  named(facts.writes, rest, true);
  named(facts.reads, rest, false);
  return { tables: [...reach.tables.values()], notes: [...reach.notes] };
}

class Reach {
  readonly tables = new Map<number, ReachedTable>();
  readonly notes = new Set<string>();
  firesTriggers = false;
  readonly #changed = new Set<string>();

  constructor(private readonly catalog: Catalog) {}

  add(relation: CatalogRelation, via: ReachedTable['via'], changed: boolean): void {
    const { oid } = relation;
    const known = this.tables.get(oid);
    if (known === undefined && this.tables.size >= MAX_TABLES) {
      this.notes.add(`more than ${String(MAX_TABLES)} tables are reached; the rest is left out`);
      return;
    }
    if (relation.kind === 'sequence' || relation.kind === 'composite') return;
    if (known === undefined || (changed && !known.changed))
      this.tables.set(oid, { oid, name: nameOf(relation), via: known?.via ?? via, changed });
  }

  /** @param sets columns that an UPDATE sets; undefined where it may be any */
  change(
    relation: CatalogRelation,
    event: RowEvent,
    sets: readonly string[] | undefined,
    via: ReachedTable['via'],
  ): void {
    const key = `${String(relation.oid)} ${event}`;
    if (this.#changed.has(key) || this.#changed.size > MAX_TABLES * 4) return;
    this.#changed.add(key);
    this.add(relation, via, event !== 'check');
    const does = eventOf(event);
    if (does === undefined) return;
    this.#triggers(relation, does);
    for (const child of relation.children) {
      const part = this.catalog.relation(child);
      if (part !== undefined) this.change(part, event, sets, via === 'statement' ? 'partition' : via);
    }
    this.#cascades(relation, event, does, sets);
  }

  #triggers(relation: CatalogRelation, does: Event): void {
    for (const trigger of relation.triggers.filter(({ events }) => events.includes(does))) {
      this.firesTriggers = true;
      const routine = this.catalog.routine(trigger.routine);
      const runs = routine === undefined ? '' : `, which runs ${routine.schema}.${routine.name}`;
      this.notes.add(`${does} on ${nameOf(relation)} fires trigger ${trigger.name}${runs}`);
    }
  }

  #cascades(relation: CatalogRelation, event: RowEvent, does: Event, sets: readonly string[] | undefined): void {
    for (const cascade of relation.cascades) {
      const target = this.catalog.relation(cascade.relation);
      if (cascade.on !== does || target === undefined) continue;
      if (does === 'truncate' && event !== 'truncate-cascade') continue;
      if (does === 'update' && sets !== undefined && !cascade.of.some((column) => sets.includes(column))) continue;
      this.notes.add(`${PAST[cascade.does]} rows of ${nameOf(target)} that refer to those of ${nameOf(relation)}`);
      const next = cascade.does === 'truncate' ? 'truncate-cascade' : cascade.does;
      this.change(target, next, cascade.columns, 'cascade');
    }
  }
}

const PAST = { update: 'updates', delete: 'deletes', truncate: 'empties, with all' } as const;

function eventOf(event: RowEvent): Event | undefined {
  if (event === 'truncate-cascade') return 'truncate';
  return event === 'refresh' || event === 'check' || event === 'detach' ? undefined : event;
}

function nameOf({ schema, name }: CatalogRelation): string {
  return `${schema}.${name}`;
}

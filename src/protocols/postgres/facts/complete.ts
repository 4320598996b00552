import type { ObjectName, RowEvent, SqlCall, SqlFacts, SqlUses } from '../../../policy/types.js';
import { FIRST_USER_OID } from '../catalog/queries.js';
import type { Catalog, CatalogRelation, CatalogRoutine, NameLookup } from '../catalog/types.js';
import { splitPath } from '../search-path.js';
import { isBig } from './big-tables.js';
import { Findings } from './findings.js';
import { QUALIFIED, relationsFor, routinesFor } from './resolve.js';
import { defaultFindings, routineFindings, ruleCode, viewCode } from './stored-code.js';

const known = new WeakMap<Catalog, WeakMap<NameLookup, WeakMap<SqlFacts, SqlFacts>>>();

/**
 * The facts with all that the catalogue adds: names get their schema, views add the tables behind them, calls add
 * what the bodies of routines do, writes add triggers, rules, defaults and cascades. A name that could stand for
 * several objects stands for all of them; one that stands for none stays as it is, and the server will say so.
 *
 * @returns the same object for the same three
 */
export function completeFacts(facts: SqlFacts, catalog: Catalog, lookup: NameLookup): SqlFacts {
  if (!needsCatalog(facts)) return facts;
  let byLookup = known.get(catalog);
  if (byLookup === undefined) known.set(catalog, (byLookup = new WeakMap()));
  let byFacts = byLookup.get(lookup);
  if (byFacts === undefined) byLookup.set(lookup, (byFacts = new WeakMap()));
  let found = byFacts.get(facts);
  if (found === undefined) byFacts.set(facts, (found = new Completion(catalog).of(facts, lookup)));
  return found;
}

/** Can a catalogue add to them? Plain BEGIN, SET or SELECT 1 need none. */
export function needsCatalog(facts: SqlFacts): boolean {
  return (
    facts.uses !== undefined ||
    facts.reads.length > 0 ||
    facts.writes.length > 0 ||
    facts.effects.some((effect) => DEFINES.has(effect))
  );
}

/** Effects at which event triggers fire. */
const DEFINES: ReadonlySet<string> = new Set([
  ...['create', 'alter', 'drop', 'grant', 'revoke', 'owner', 'comment', 'stored-code', 'extension', 'refresh'],
]);

/** Code behind one statement that is followed; beyond, nobody reads. */
const MAX_FOLLOWED = 20_000;

const NO_USES: SqlUses = {
  calls: [],
  operators: [],
  types: [],
  fields: [],
  targets: [],
  scans: [],
  hiddenSettings: false,
};

/** A piece of SQL whose names are to be followed. */
interface Part {
  readonly reads: readonly ObjectName[];
  readonly writes: readonly ObjectName[];
  readonly uses: SqlUses;
}

/** Follows what one statement reaches, each thing once. */
class Completion {
  readonly #found = new Findings();
  /** What was followed, under which lookup. */
  readonly #already = new Map<NameLookup, Set<string>>();
  #followed = 0;
  #hiddenSettings = false;

  constructor(private readonly catalog: Catalog) {}

  of(facts: SqlFacts, lookup: NameLookup): SqlFacts {
    const found = this.#found;
    const { reads, writes, uses = NO_USES } = facts;
    for (const effect of facts.effects) found.effects.add(effect);
    for (const name of facts.functions) found.functions.add(name);
    for (const kind of facts.unqualified) found.unqualified.add(kind);
    if (facts.opaque) found.opaque(facts.opaqueReason);
    this.#follow({ reads, writes, uses }, lookup);
    if (facts.effects.some((effect) => DEFINES.has(effect)))
      for (const routine of this.catalog.eventTriggerRoutines) this.#run(routine, lookup);
    return {
      ...facts,
      ...found.toFacts(facts.text),
      statements: facts.statements,
      params: facts.params,
      unbounded: uses.scans.some((name) => isBig(this.catalog, name, lookup)),
      uses: { ...uses, hiddenSettings: uses.hiddenSettings || this.#hiddenSettings },
    };
  }

  /** Is this the first time? Code that calls itself ends here. */
  #first(what: string, lookup: NameLookup): boolean {
    const already = this.#already.get(lookup) ?? new Set<string>();
    this.#already.set(lookup, already);
    const { size } = already;
    return already.add(what).size > size;
  }

  #follow({ reads, writes, uses }: Part, lookup: NameLookup): void {
    if ((this.#followed += 1) > MAX_FOLLOWED) return this.#found.opaque('too much code behind it to read');
    for (const name of reads) {
      const relations = relationsFor(this.catalog, name, lookup);
      if (relations.length === 0) this.#found.reads(name);
      for (const relation of relations) this.#read(relation, lookup);
    }
    for (const name of writes) {
      const relations = relationsFor(this.catalog, name, lookup);
      if (relations.length === 0) this.#found.writes(name);
      for (const relation of relations) this.#writesFamily(relation);
    }
    for (const { name, events } of uses.targets)
      for (const relation of relationsFor(this.catalog, name, lookup)) this.#change(relation, events, lookup);
    for (const call of uses.calls) this.#call(call, lookup);
    for (const name of uses.operators)
      for (const routine of this.catalog.operatorRoutines(name)) this.#run(routine, lookup);
    for (const name of uses.types) this.#cast(name, lookup);
    for (const name of uses.fields) this.#field(name, lookup);
  }

  #read(relation: CatalogRelation, lookup: NameLookup): void {
    if (!this.#first(`read ${String(relation.oid)}`, lookup)) return;
    this.#found.reads(nameOf(relation));
    for (const parent of this.#ancestors(relation)) this.#found.reads(nameOf(parent));
    for (const oid of relation.children) this.#withRelation(oid, (child) => this.#read(child, lookup));
    if (relation.kind === 'foreign-table') this.#found.effects.add('outbound');
    if (relation.withheld) this.#found.opaque('a relation that another transaction holds');
    for (const oid of relation.readRoutines) this.#runById(oid, lookup);
    this.#typesOf(relation, lookup);
    if (relation.oid < FIRST_USER_OID) return;
    if (relation.kind === 'view') this.#view(relation, lookup);
    // Its rows are stored: what its query does was done when it was refreshed.
    if (relation.kind === 'materialized-view')
      for (const name of viewCode(relation).findings.readNames) this.#readNamed(name, lookup);
  }

  #readNamed(name: ObjectName, lookup: NameLookup): void {
    for (const relation of relationsFor(this.catalog, name, QUALIFIED)) this.#read(relation, lookup);
  }

  /** What the query of a view does. Its routines look names up as the session does; its own names are whole. */
  #view(view: CatalogRelation, lookup: NameLookup): void {
    for (const name of viewCode(view).findings.readNames) this.#readNamed(name, lookup);
    this.#found.effects.add('select');
    this.#runView(view, lookup);
  }

  /** What its query does besides reading tables. */
  #runView(view: CatalogRelation, lookup: NameLookup): void {
    const { findings } = viewCode(view);
    const selects = this.#found.effects.has('select');
    this.#found.absorbEffects(findings);
    if (!selects) this.#found.effects.delete('select');
    this.#follow({ reads: [], writes: [], uses: { ...findings.uses.toUses(), targets: [] } }, lookup);
  }

  #writesFamily(relation: CatalogRelation): void {
    this.#found.writes(nameOf(relation));
    if (relation.kind === 'foreign-table') this.#found.effects.add('outbound');
    for (const parent of this.#ancestors(relation)) this.#found.writes(nameOf(parent));
  }

  #change(relation: CatalogRelation, events: readonly RowEvent[], lookup: NameLookup): void {
    for (const event of events) {
      if (this.#first(`${event} ${String(relation.oid)}`, lookup)) this.#changeOnce(relation, event, lookup);
    }
  }

  #changeOnce(relation: CatalogRelation, event: RowEvent, lookup: NameLookup): void {
    this.#writesFamily(relation);
    if (relation.withheld) this.#found.opaque('a relation that another transaction holds');
    for (const oid of relation.children) this.#withRelation(oid, (child) => this.#change(child, [event], lookup));
    for (const trigger of relation.triggers)
      if (trigger.events.some((on) => event === on)) this.#runById(trigger.routine, lookup);
    for (const rule of ruleCode(relation))
      if (rule.event === event || rule.event === undefined) this.#absorb(rule.findings, lookup);
    for (const { relation: oid, on, does } of relation.cascades)
      if (on === (event === 'truncate-cascade' ? 'truncate' : event === 'delete' ? 'delete' : ''))
        this.#withRelation(oid, (other) =>
          this.#change(other, event === 'truncate-cascade' ? ['truncate', event] : [does], lookup),
        );
    if (relation.kind === 'view' || relation.kind === 'materialized-view') this.#changeThrough(relation, event, lookup);
    if (event !== 'insert' && event !== 'update' && event !== 'check') return;
    this.#absorb(defaultFindings(relation), lookup);
    for (const oid of relation.writeRoutines) this.#runById(oid, lookup);
    this.#typesOf(relation, lookup);
  }

  /** A change of a view changes the tables behind it, or runs its triggers; a refresh runs the whole query. */
  #changeThrough(view: CatalogRelation, event: RowEvent, lookup: NameLookup): void {
    const triggered = view.triggers.some((trigger) => trigger.events.some((on) => on === event));
    if (view.kind === 'materialized-view' || triggered) return this.#view(view, lookup);
    const { findings, sources } = viewCode(view);
    const changed = new Set(sources.map(({ schema, name }) => `${schema}.${name}`));
    for (const name of findings.readNames)
      if (!changed.has(`${name.schema}.${name.name}`)) this.#readNamed(name, lookup);
    this.#runView(view, lookup);
    for (const name of sources)
      for (const relation of relationsFor(this.catalog, name, QUALIFIED)) this.#change(relation, [event], lookup);
  }

  #absorb(findings: Findings, lookup: NameLookup): void {
    this.#found.absorbEffects(findings);
    if (findings.settings.length > 0) this.#hiddenSettings = true;
    const { readNames, writeNames, uses } = findings;
    this.#follow({ reads: readNames, writes: writeNames, uses: uses.toUses() }, lookup);
  }

  #call(call: SqlCall, lookup: NameLookup): void {
    for (const routine of routinesFor(this.catalog, call, lookup)) this.#run(routine, lookup);
    // `t(x)` is a cast where t is a type.
    if (call.count === 1) this.#cast(call.name, lookup);
  }

  /** A value becomes one of the type of that name, and its fields ones of theirs. */
  #cast(typeName: string, lookup: NameLookup): void {
    for (const routine of this.catalog.castRoutines(typeName)) this.#run(routine, lookup);
    for (const relation of this.catalog.relationsNamed(typeName)) this.#typesOf(relation, lookup);
  }

  /** `t.f` calls f where that takes a row. */
  #field(name: string, lookup: NameLookup): void {
    for (const routine of routinesFor(this.catalog, { schema: '', name, count: 1 }, lookup)) {
      const kind = this.catalog.type(routine.argumentTypes[0] ?? 0)?.kind;
      if (kind === 'composite' || kind === 'pseudo') this.#run(routine, lookup);
    }
  }

  #runById(oid: number, lookup: NameLookup): void {
    const routine = this.catalog.routine(oid);
    if (routine !== undefined) this.#run(routine, lookup);
    // A built-in function by another way than a call, e.g. as a trigger, does what it is there for.
    else if (oid >= FIRST_USER_OID) this.#found.opaque('a routine that is not known');
  }

  #run(routine: CatalogRoutine, lookup: NameLookup): void {
    if (!this.#first(`run ${String(routine.oid)}`, lookup)) return;
    this.#found.functions.add(`${routine.schema}.${routine.name}`.toLowerCase());
    this.#absorb(routineFindings(routine), routine.atomic ? QUALIFIED : ownLookup(routine, lookup));
    for (const oid of routine.support) this.#runById(oid, lookup);
    for (const type of routine.argumentTypes) this.#valuesOf(type, lookup);
  }

  /** Values of these types may run casts and checks unseen. */
  #typesOf(relation: CatalogRelation, lookup: NameLookup): void {
    for (const { typeOid } of relation.columns) this.#valuesOf(typeOid, lookup);
  }

  #valuesOf(type: number, lookup: NameLookup): void {
    if (type < FIRST_USER_OID || !this.#first(`type ${String(type)}`, lookup)) return;
    for (const routine of this.catalog.typeRoutines(type)) this.#run(routine, lookup);
    // An array's elements, what a domain stands on.
    this.#valuesOf(this.catalog.type(type)?.of ?? 0, lookup);
  }

  /** Relations whose rows include this one's. */
  #ancestors(relation: CatalogRelation, into = new Set<CatalogRelation>()): ReadonlySet<CatalogRelation> {
    for (const oid of relation.parents)
      this.#withRelation(oid, (parent) => {
        if (into.has(parent)) return;
        into.add(parent);
        this.#ancestors(parent, into);
      });
    return into;
  }

  #withRelation(oid: number, then: (relation: CatalogRelation) => void): void {
    const relation = this.catalog.relation(oid);
    if (relation !== undefined) then(relation);
  }
}

function nameOf(relation: CatalogRelation): ObjectName {
  return { schema: relation.schema, name: relation.name };
}

const ownLookups = new WeakMap<CatalogRoutine, NameLookup>();

/** A routine with a search path of its own looks names up by that. */
function ownLookup(routine: CatalogRoutine, lookup: NameLookup): NameLookup {
  if (!routine.settings.some((text) => text.startsWith('search_path='))) return lookup;
  const own = ownLookups.get(routine) ?? lookupOf(routine);
  ownLookups.set(routine, own);
  return own;
}

function lookupOf(routine: CatalogRoutine): NameLookup {
  const setting = routine.settings.find((text) => text.startsWith('search_path='));
  const path = splitPath((setting ?? '').slice('search_path='.length));
  if (path.includes('$user')) return { searchPath: undefined };
  return { searchPath: path.includes('pg_catalog') ? path : ['pg_catalog', ...path] };
}

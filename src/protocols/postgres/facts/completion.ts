import type { ObjectName, RowEvent, SqlCall, SqlFacts, SqlRename, SqlUses } from '../../../policy/types.js';
import { FIRST_USER_OID } from '../catalog/queries.js';
import type { Catalog, CatalogRelation, CatalogRoutine, NameLookup } from '../catalog/types.js';
import { isBig } from './big-tables.js';
import { CASCADES, isReferredTo, mayBeSet } from './cascades.js';
import { AT_EVENT_TRIGGERS, isUnsettling } from './effects.js';
import { Findings, NO_USES, settledWrites } from './findings.js';
import { joinedRenames, MAX_RENAMES, resolvedRenames } from './renames.js';
import {
  ancestorsOf,
  nameOf,
  namesBefore,
  ownLookup,
  QUALIFIED,
  relationsFor,
  restricts,
  routinesFor,
} from './resolve.js';
import { defaultFindings, routineFindings, ruleCode, viewCode } from './stored-code.js';

/** Code behind one statement that is followed; beyond, nobody reads. */
const MAX_FOLLOWED = 20_000;

/** A piece of SQL whose names are to be followed. */
interface Part {
  readonly reads: readonly ObjectName[];
  readonly writes: readonly ObjectName[];
  readonly uses: SqlUses;
}

/** What happens to the rows of a relation. */
interface Change {
  readonly events: readonly RowEvent[];
  /** Columns that an UPDATE sets; undefined where it may be any. */
  readonly sets: readonly string[] | undefined;
}

/** Follows what one statement reaches, each thing once: made for one statement, asked once. */
export class Completion {
  readonly #found = new Findings();
  /** What was followed, under which lookup. */
  readonly #already = new Map<NameLookup, Set<string>>();
  #followed = 0;
  /** Writes that the catalogue has told to restrict something. */
  readonly #restricted = new Set<string>();
  readonly #hidden = { settings: false, cursors: false };
  readonly #renames: SqlRename[] = [];
  readonly #reached = new Set<CatalogRelation | CatalogRoutine>();
  constructor(private readonly catalog: Catalog) {}

  of(facts: SqlFacts, lookup: NameLookup): SqlFacts {
    const found = this.#found;
    const { reads, writes, uses = NO_USES } = facts;
    for (const effect of facts.effects) found.effects.add(effect);
    for (const name of facts.functions) found.functions.add(name);
    for (const kind of settledWrites(facts)) found.unqualified.add(kind);
    if (facts.opaque) found.opaque(facts.opaqueReason);
    this.#follow({ reads, writes, uses }, lookup);
    if (facts.effects.some((effect) => AT_EVENT_TRIGGERS.has(effect)))
      for (const routine of this.catalog.eventTriggerRoutines) this.#run(routine, lookup);
    if (this.#hidden.settings || found.opaqueReason !== '' || [...found.effects].some(isUnsettling))
      for (const kind of this.#restricted) found.unqualified.add(kind);
    const known = lookup.renames ?? NO_USES.renames;
    const renames = joinedRenames(known, this.#renames);
    if (renames.length > MAX_RENAMES) found.opaque('too much renamed in one transaction');
    // What it renames, it may use by the new name: once more, knowing that.
    else if (renames !== known) return new Completion(this.catalog).of(facts, { ...lookup, renames });
    return {
      ...facts,
      ...found.toFacts(facts.text),
      statements: facts.statements,
      params: facts.params,
      unbounded: uses.scans.some((name) => isBig(this.catalog, name, lookup)),
      uses: { ...uses, renames, openWrites: [], reached: [...this.#reached], ...this.#hiding(uses) },
    };
  }

  #hiding(uses: SqlUses): Pick<SqlUses, 'hiddenSettings' | 'hiddenCursors'> {
    const { settings, cursors } = this.#hidden;
    return { hiddenSettings: uses.hiddenSettings || settings, hiddenCursors: uses.hiddenCursors || cursors };
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
    for (const rename of uses.renames) this.#renames.push(...resolvedRenames(this.catalog, rename, lookup));
    for (const { name, events, sets } of uses.targets)
      for (const relation of relationsFor(this.catalog, name, lookup)) this.#change(relation, { events, sets }, lookup);
    for (const write of uses.openWrites)
      if (!restricts(write, this.catalog, lookup)) this.#found.unqualified.add(write.kind);
      else this.#restricted.add(write.kind);
    for (const call of uses.calls) this.#call(call, lookup);
    for (const name of uses.operators)
      for (const routine of this.catalog.operatorRoutines(name)) this.#run(routine, lookup);
    for (const name of uses.types) this.#cast(name, lookup);
    for (const name of uses.fields) this.#field(name, lookup);
  }

  #read(relation: CatalogRelation, lookup: NameLookup): void {
    if (!this.#first(`read ${String(relation.oid)}`, lookup)) return;
    this.#reached.add(relation);
    this.#found.reads(nameOf(relation));
    for (const parent of ancestorsOf(this.catalog, relation)) this.#found.reads(nameOf(parent));
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
    for (const parent of ancestorsOf(this.catalog, relation)) this.#found.writes(nameOf(parent));
  }

  #change(relation: CatalogRelation, { events, sets }: Change, lookup: NameLookup): void {
    for (const event of events) {
      if (event === 'detach') {
        if (isReferredTo(this.catalog, relation)) this.#found.effects.add('drop');
        continue;
      }
      if (this.#first(`${event} ${String(relation.oid)}`, lookup)) this.#changeOnce(relation, event, lookup);
      this.#cascade(relation, event, sets, lookup);
    }
  }

  #changeOnce(relation: CatalogRelation, event: RowEvent, lookup: NameLookup): void {
    this.#reached.add(relation);
    this.#writesFamily(relation);
    if (relation.withheld) this.#found.opaque('a relation that another transaction holds');
    this.#runTriggers(relation, event, lookup);
    for (const rule of ruleCode(relation))
      if (rule.event === event || rule.event === undefined) this.#absorb(rule.findings, lookup);
    if (event === 'delete' || event === 'truncate')
      for (const oid of relation.deleteRoutines) this.#runById(oid, lookup);
    if (relation.kind === 'view' || relation.kind === 'materialized-view') this.#changeThrough(relation, event, lookup);
    if (event !== 'insert' && event !== 'update' && event !== 'check') return;
    this.#absorb(defaultFindings(relation), lookup);
    for (const oid of relation.writeRoutines) this.#runById(oid, lookup);
    this.#typesOf(relation, lookup);
  }

  #runTriggers(relation: CatalogRelation, event: RowEvent, lookup: NameLookup): void {
    for (const trigger of relation.triggers)
      if (trigger.events.some((on) => event === on)) this.#runById(trigger.routine, lookup);
  }

  /** What goes on to other tables: to its partitions and children, and by foreign keys. */
  #cascade(relation: CatalogRelation, event: RowEvent, sets: readonly string[] | undefined, lookup: NameLookup): void {
    const reached = event === 'update' ? (sets?.toSorted().join('\0') ?? '*') : '';
    if (!this.#first(`cascade ${event} ${String(relation.oid)} ${reached}`, lookup)) return;
    for (const oid of relation.children)
      this.#withRelation(oid, (child) => {
        this.#change(child, { events: [event], sets }, lookup);
        // Its rows may move: out of one partition, into another.
        if (event === 'update' && relation.kind === 'partitioned-table')
          for (const moved of ['insert', 'delete'] as const) this.#runTriggers(child, moved, lookup);
      });
    for (const { relation: oid, on, does, of, columns } of relation.cascades) {
      if (on !== CASCADES[event]) continue;
      if (on === 'update' && !of.some((column) => mayBeSet(this.catalog, relation, column, sets))) continue;
      const events: readonly RowEvent[] = event === 'truncate-cascade' ? ['truncate', event] : [does];
      this.#found.effects.add(does);
      this.#withRelation(oid, (other) => this.#change(other, { events, sets: columns }, lookup));
    }
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
      // Its columns may have other names there.
      for (const relation of relationsFor(this.catalog, name, QUALIFIED))
        this.#change(relation, { events: [event], sets: undefined }, lookup);
  }

  #absorb(findings: Findings, lookup: NameLookup): void {
    this.#found.absorbEffects(findings);
    const { readNames, writeNames, uses } = findings;
    this.#hidden.settings ||= findings.settings.length > 0;
    this.#hidden.cursors ||= uses.hiddenCursors;
    this.#follow({ reads: readNames, writes: writeNames, uses: uses.toUses() }, lookup);
  }

  #call(call: SqlCall, lookup: NameLookup): void {
    for (const routine of routinesFor(this.catalog, call, lookup)) this.#run(routine, lookup);
    // `t(x)` is a cast where t is a type.
    if (call.count === 1) this.#cast(call.name, lookup);
  }

  /** A value becomes one of the type of that name, and its fields ones of theirs. */
  #cast(typeName: string, lookup: NameLookup): void {
    const named = { schema: '', name: typeName };
    for (const { name } of [named, ...namesBefore(named, lookup)]) {
      for (const routine of this.catalog.castRoutines(name)) this.#run(routine, lookup);
      for (const relation of this.catalog.relationsNamed(name)) this.#typesOf(relation, lookup);
    }
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
    this.#reached.add(routine);
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

  #withRelation(oid: number, then: (relation: CatalogRelation) => void): void {
    const relation = this.catalog.relation(oid);
    if (relation !== undefined) then(relation);
  }
}

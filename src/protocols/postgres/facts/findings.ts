import type { ObjectName, OpenWrite, SqlCall, SqlFacts, SqlRename, SqlTarget, SqlUses } from '../../../policy/types.js';
import { inOrder, worstOf } from './effects.js';

/** Why a text is opaque that the server reads in another way than its bytes are read here: what it seems to say counts for nothing. */
export const READ_OTHERWISE = 'text in an encoding or string syntax that can not be judged';

/** A SET, RESET or set_config of the message, as far as the text tells. */
export interface SettingChange {
  /** Lower-case; undefined where the text does not tell (computed names, RESET ALL, DISCARD ALL). */
  readonly name: string | undefined;
  /** Undefined for RESET, DEFAULT and computed values; lists are joined by `, `. */
  readonly value: string | undefined;
  /** Of `search_path`: the schemas listed, as the server reads them; undefined where the text does not tell. */
  readonly list?: readonly string[];
  /** Holds to the end of the transaction only. */
  readonly local?: true;
  /** RESET or DEFAULT: back to what the session started with; without a name RESET ALL. */
  readonly reset?: true;
}

export const NO_USES: SqlUses = {
  calls: [],
  operators: [],
  types: [],
  fields: [],
  targets: [],
  scans: [],
  hiddenSettings: false,
  openWrites: [],
  settledWrites: [],
  hiddenCursors: false,
  renames: [],
};

/** What only a catalogue can follow, while it is gathered. */
export class Uses {
  readonly #calls = new Map<string, SqlCall>();
  readonly #operators = new Set<string>();
  readonly #types = new Set<string>();
  readonly #fields = new Set<string>();
  readonly #targets = new Map<string, SqlTarget>();
  readonly #scans = new Map<string, ObjectName>();
  readonly #renames = new Map<string, SqlRename>();
  hiddenSettings = false;
  readonly #openWrites = new Map<string, OpenWrite>();
  #hiddenCursors = false;
  empty = true;

  call(call: SqlCall): void {
    this.empty = false;
    this.#calls.set(`${call.schema}\0${call.name}\0${String(call.count)}`, call);
  }

  operator(name: string): void {
    this.empty = false;
    this.#operators.add(name);
  }

  type(name: string): void {
    this.empty = false;
    this.#types.add(name);
  }

  field(name: string): void {
    this.empty = false;
    this.#fields.add(name);
  }

  target(target: SqlTarget): void {
    this.empty = false;
    const key = keyOf(target.name);
    const known = this.#targets.get(key);
    this.#targets.set(key, known === undefined ? target : bothTargets(known, target));
  }

  scan(name: ObjectName): void {
    this.empty = false;
    this.#scans.set(keyOf(name), name);
  }

  rename(rename: SqlRename): void {
    this.empty = false;
    this.#renames.set(`${keyOf(rename.from)}\0${keyOf(rename.to)}`, rename);
  }

  openWrite(write: OpenWrite): void {
    this.empty = false;
    this.#openWrites.set(JSON.stringify(write), write);
  }

  get openWrites(): Iterable<OpenWrite> {
    return this.#openWrites.values();
  }

  /** A body opens or closes cursors. */
  cursors(): void {
    this.empty = false;
    this.#hiddenCursors = true;
  }

  get hiddenCursors(): boolean {
    return this.#hiddenCursors;
  }

  absorb(part: Uses | SqlUses): void {
    const { calls, operators, types, fields, targets, scans, renames } = part instanceof Uses ? part.toUses() : part;
    for (const call of calls) this.call(call);
    for (const name of operators) this.operator(name);
    for (const name of types) this.type(name);
    for (const name of fields) this.field(name);
    for (const target of targets) this.target(target);
    for (const name of scans) this.scan(name);
    for (const rename of renames) this.rename(rename);
    for (const write of part.openWrites) this.openWrite(write);
    if (part.hiddenSettings) this.hiddenSettings = true;
    if (part.hiddenCursors) this.cursors();
  }

  /** @param settledWrites what is unqualified without those that are open */
  toUses(settledWrites: readonly string[] = []): SqlUses {
    return {
      calls: [...this.#calls.values()],
      operators: [...this.#operators],
      types: [...this.#types],
      fields: [...this.#fields],
      targets: [...this.#targets.values()],
      scans: [...this.#scans.values()],
      hiddenSettings: this.hiddenSettings,
      openWrites: [...this.#openWrites.values()],
      settledWrites,
      hiddenCursors: this.#hiddenCursors,
      renames: [...this.#renames.values()],
    };
  }
}

/** One relation written in two ways. */
function bothTargets(one: SqlTarget, other: SqlTarget): SqlTarget {
  const events = [...new Set([...one.events, ...other.events])];
  const updates = [one, other].filter((target) => target.events.includes('update'));
  const sets = updates.every((target) => target.sets !== undefined)
    ? [...new Set(updates.flatMap((target) => target.sets ?? []))]
    : undefined;
  return { name: one.name, events, ...(sets === undefined ? {} : { sets }) };
}

function keyOf(name: ObjectName): string {
  return `${name.schema}\0${name.name}`;
}

/** What was found in a piece of SQL: the facts while they are gathered. */
export class Findings {
  readonly effects = new Set<string>();
  readonly functions = new Set<string>();
  readonly unqualified = new Set<string>();
  readonly prepared: { readonly name: string; readonly findings: Findings }[] = [];
  readonly executes = new Set<string>();
  readonly deallocates = new Set<string>();
  deallocatesAll = false;
  readonly settings: SettingChange[] = [];
  readonly uses = new Uses();
  opaqueReason = '';
  statements = 0;
  /** Where it is not as many as there are statements: see `stackedIn`. */
  stacked: number | undefined;
  readonly #reads = new Map<string, ObjectName>();
  readonly #writes = new Map<string, ObjectName>();

  reads(name: ObjectName): void {
    this.#reads.set(keyOf(name), name);
  }

  writes(name: ObjectName): void {
    this.#writes.set(keyOf(name), name);
  }

  /** The first reason stands. */
  opaque(reason: string): void {
    if (this.opaqueReason === '' || reason === READ_OTHERWISE) this.opaqueReason = reason;
  }

  get readNames(): readonly ObjectName[] {
    return [...this.#reads.values()];
  }

  get writeNames(): readonly ObjectName[] {
    return [...this.#writes.values()];
  }

  /** Adds what a part was found to do; its statements are not counted. */
  absorb(part: Findings): void {
    this.absorbEffects(part);
    for (const name of part.#reads.values()) this.reads(name);
    for (const name of part.#writes.values()) this.writes(name);
    this.settings.push(...part.settings);
    this.uses.absorb(part.uses);
  }

  /** As `absorb`, but for names and settings. */
  absorbEffects(part: Findings): void {
    for (const effect of part.effects) this.effects.add(effect);
    for (const name of part.functions) this.functions.add(name);
    for (const kind of part.unqualified) this.unqualified.add(kind);
    if (part.opaqueReason !== '') this.opaque(part.opaqueReason);
  }

  toFacts(text: string): SqlFacts {
    const settled = [...this.unqualified];
    // Until the catalogue has told, an open one counts.
    const unqualified = [...new Set([...settled, ...Array.from(this.uses.openWrites, ({ kind }) => kind)])];
    return {
      text,
      kind: worstOf(this.effects),
      effects: inOrder(this.effects),
      reads: [...this.#reads.values()],
      writes: [...this.#writes.values()],
      functions: [...this.functions],
      unqualified,
      unqualifiedWrite: unqualified.length > 0,
      opaque: this.opaqueReason !== '',
      opaqueReason: this.opaqueReason,
      statements: this.statements,
      params: [],
      ...(this.stacked === undefined ? {} : { stacked: this.stacked }),
      ...(this.uses.empty ? {} : { uses: this.uses.toUses(settled) }),
    };
  }
}

/** What is unqualified of these facts whatever the catalogue says of the rest. */
export function settledWrites({ unqualified, uses }: SqlFacts): readonly string[] {
  return uses !== undefined && uses.openWrites.length > 0 ? uses.settledWrites : unqualified;
}

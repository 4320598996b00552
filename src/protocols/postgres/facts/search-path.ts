import type { SqlFacts } from '../../../policy/types.js';
import type { SettingChange } from './findings.js';
import type { Catalog, NameLookup } from '../catalog/types.js';
import type { Run } from '../statements/run.js';

/** A value of `search_path`: schemas as listed; undefined for what the session started with. */
type Path = readonly string[] | undefined;

/** Above this many possible values nobody can tell any more. */
const MAX_POSSIBLE = 8;

/** Settings that decide where names are looked up: `$user` stands for the role, whose rights open schemas. */
const DECIDING: ReadonlySet<string> = new Set(['search_path', 'role', 'session_authorization']);

/** Effects by which later sessions may start with another path. */
const STARTS: ReadonlySet<string> = new Set(['role-admin', 'server-config']);

/** Effects by which a session may go on as another role. */
const ROLES: ReadonlySet<string> = new Set(['set-role', 'session-authorization']);

/**
 * Follows which `search_path` a session has. Only what the server has confirmed is known; from the moment a change
 * goes up until then, and wherever it can't be told, names may stand for any schema.
 *
 * @see https://www.postgresql.org/docs/current/runtime-config-client.html#GUC-SEARCH-PATH
 */
export class SearchPath {
  /** Undefined: nobody can tell. */
  #settled: readonly Path[] | undefined = [undefined];
  /** What RESET goes back to: that of the start-up packet, where it had one. */
  #atStart: Path = undefined;
  /** What the catalogue said of it when it was asked first; later it says what sessions start with from then on. */
  #firstSaid: string | undefined;
  #lastAsked: Catalog | undefined;
  /** Another role may be set: what `$user` stands for, and which schemas it may use, nobody can tell. */
  #otherRole = false;
  /** What a rollback brings back. */
  #outside: readonly Path[] | undefined = this.#settled;
  /** Everything it has been in this transaction: what a rollback to a savepoint may bring back. */
  #within: readonly Path[] | undefined = this.#settled;
  #inTransaction = false;
  #localChange = false;
  #endedBy = '';
  readonly #pending = new Map<Run, readonly SettingChange[]>();
  /** The server reports it (PostgreSQL 18). */
  #reported = false;

  /** A setting of the start-up packet. */
  starting(name: string, value: string): void {
    if (name === 'search_path') this.#settle([(this.#atStart = splitPath(value))]);
    else if (DECIDING.has(name)) this.#otherRole = true;
    this.#outside = this.#within = this.#settled;
  }

  /** The server reported a setting. */
  parameter(name: string, value: string): void {
    if (name !== 'search_path') return;
    this.#reported = true;
    this.#settle([splitPath(value)]);
  }

  /** This statement is about to run. */
  running(run: Run, changes: readonly SettingChange[]): void {
    if (run.facts.effects.some((effect) => ROLES.has(effect))) this.#otherRole = true;
    if (run.facts.effects.some((effect) => STARTS.has(effect))) [this.#firstSaid, this.#lastAsked] = ['', undefined];
    const deciding = changes.filter(decides);
    if (mayChangeUnseen(run.facts, changes)) this.#pending.set(run, [...deciding, UNKNOWN]);
    else if (deciding.length > 0) this.#pending.set(run, deciding);
  }

  /** A command of it is done. */
  completed(run: Run, tag: string): void {
    if (tag === 'COMMIT' || tag === 'ROLLBACK') this.#endedBy = tag;
    if (tag === 'ROLLBACK' && this.#inTransaction && !this.#reported) this.#settle(this.#within);
    const changes = this.#pending.get(run);
    if (changes === undefined) return;
    const only = changes.length === 1 && run.facts.statements === 1 ? changes[0] : undefined;
    // Of several statements one may be done and the next fail: then each value is possible.
    if (only !== undefined) this.#pending.delete(run);
    if (only?.local === true && this.#inTransaction) this.#localChange = true;
    if (only?.local === true && !this.#inTransaction) return;
    if (!this.#reported) this.#settle(only === undefined ? this.#joined(changes) : this.#valuesOf(only));
  }

  /** The server is ready. @param status `I` with no transaction open, `T` in one, `E` in a failed one */
  ready(status: string, more: boolean): void {
    const open = status !== 'I';
    // What has not been confirmed by now has failed.
    if (!more) this.#pending.clear();
    if (!open && this.#inTransaction && !this.#reported) {
      if (this.#endedBy !== 'COMMIT') this.#settled = this.#outside;
      else if (this.#localChange) this.#settled = union(this.#outside, this.#within);
    }
    if (!open) {
      this.#outside = this.#within = this.#settled;
      this.#localChange = false;
    }
    this.#inTransaction = open;
    this.#endedBy = '';
  }

  /** How names are looked up now, given what is known of the database. */
  lookup(catalog: Catalog): NameLookup {
    if (this.#otherRole) return ANYWHERE;
    const only = this.#pending.size === 0 && this.#settled?.length === 1 ? this.#settled : undefined;
    if (only === undefined || (only[0] === undefined && !this.#startedSo(catalog))) return ANYWHERE;
    return lookupIn(catalog, only[0]);
  }

  /** Did this session start with what the catalogue says that sessions start with? ALTER ROLE … SET changes that. */
  #startedSo(catalog: Catalog): boolean {
    if (this.#lastAsked === catalog) return true;
    const said = JSON.stringify(catalog.searchPath);
    this.#firstSaid ??= said;
    if (this.#firstSaid !== said) return false;
    this.#lastAsked = catalog;
    return true;
  }

  #valuesOf(change: SettingChange): readonly Path[] | undefined {
    // RESET ALL leaves the role as it is; DISCARD ALL may not.
    const isPath = change.name === 'search_path' || change.name === undefined;
    if (isPath && change.reset === true) return [this.#atStart];
    if (change.name !== 'search_path') return undefined;
    return change.list === undefined ? undefined : [change.list];
  }

  #joined(changes: readonly SettingChange[]): readonly Path[] | undefined {
    return changes.reduce((all, change) => union(all, this.#valuesOf(change)), this.#settled);
  }

  #settle(values: readonly Path[] | undefined): void {
    this.#settled = values;
    this.#within = union(this.#within, values);
  }
}

const ANYWHERE: NameLookup = { searchPath: undefined };
const UNKNOWN: SettingChange = { name: undefined, value: undefined };
const byCatalog = new WeakMap<Catalog, Map<string, NameLookup>>();

/** The same object for the same path of the same catalogue. */
function lookupIn(catalog: Catalog, path: Path): NameLookup {
  let known = byCatalog.get(catalog);
  if (known === undefined) byCatalog.set(catalog, (known = new Map<string, NameLookup>()));
  const key = path === undefined ? '' : JSON.stringify(path);
  const found = known.get(key);
  if (found !== undefined) return found;
  const made = { searchPath: path === undefined ? catalog.searchPath : resolved(catalog, path) };
  if (known.size < 1_000) known.set(key, made);
  return made;
}

/** Schemas that may be used, in order; `pg_catalog` comes first where it is not named. */
function resolved(catalog: Catalog, path: readonly string[]): readonly string[] {
  const schemas = path
    .map((schema) => (schema === '$user' ? catalog.user : schema))
    .filter((schema) => catalog.schemas.has(schema));
  return schemas.includes('pg_catalog') ? schemas : ['pg_catalog', ...schemas];
}

function decides(change: SettingChange): boolean {
  return change.name === undefined || DECIDING.has(change.name);
}

/** Code that runs unread, or sets something that its text does not tell. */
function mayChangeUnseen(facts: SqlFacts, changes: readonly SettingChange[]): boolean {
  if (facts.uses?.hiddenSettings === true) return true;
  // Without a catalogue to look into what is called: a text that changes settings shows them.
  if (facts.effects.includes('set-config') && changes.length === 0) return true;
  return facts.opaque && facts.effects.some((effect) => effect === 'do' || effect === 'call' || effect === 'dynamic');
}

function union(left: readonly Path[] | undefined, right: readonly Path[] | undefined): readonly Path[] | undefined {
  if (left === undefined || right === undefined) return undefined;
  const all = new Map([...left, ...right].map((path) => [path === undefined ? '' : JSON.stringify(path), path]));
  return all.size > MAX_POSSIBLE ? undefined : [...all.values()];
}

/**
 * The schemas of a list as the server reads it: folded to lower case unless quoted. A list that it would refuse
 * gives names that no schema has.
 */
export function splitPath(text: string): readonly string[] {
  return [...text.matchAll(/"((?:[^"]|"")*)"|([^\s,"]+)/g)].map(([, quoted, plain = '']) =>
    quoted === undefined ? plain.toLowerCase() : quoted.replaceAll('""', '"'),
  );
}

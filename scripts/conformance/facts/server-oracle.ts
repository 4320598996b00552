import { message, query } from '../../../test/protocols/postgres/wire.js';
import { errorsIn, type RawSession, type WireMessage } from '../../../test/support/raw-postgres.js';
import { createCatalog } from '../../../src/protocols/postgres/catalog/create-catalog.js';
import { catalogQueries, EMPTY_PATH, WHO, type CatalogRows } from '../../../src/protocols/postgres/catalog/queries.js';
import type { Catalog } from '../../../src/protocols/postgres/catalog/types.js';
import type { ScriptStatement } from './psql-script.js';

/** A relation as the server names it, with the names of what it is part of (parents, partitioned tables). */
export interface SeenRelation {
  readonly schema: string;
  readonly name: string;
  /** Of those above it in an inheritance tree, itself first. */
  readonly names: readonly string[];
}

/** What the server says one statement did. */
export interface Seen {
  readonly error: string;
  readonly inserted: readonly SeenRelation[];
  readonly updated: readonly SeenRelation[];
  readonly deleted: readonly SeenRelation[];
  readonly scanned: readonly SeenRelation[];
  /** Command tags of event triggers, e.g. `CREATE TABLE`. */
  readonly commands: readonly string[];
  /** Kinds of what was dropped by itself, not along with another. */
  readonly dropped: readonly string[];
}

/** Counts what is done in this transaction, and notes what event triggers see. */
export const ORACLE_SETUP = `
  CREATE SCHEMA conformance;
  CREATE TABLE conformance.noted (what text, kind text);
  GRANT USAGE ON SCHEMA conformance TO public;
  GRANT ALL ON conformance.noted TO public;
  CREATE FUNCTION conformance.note_command() RETURNS event_trigger SECURITY DEFINER SET search_path = pg_catalog LANGUAGE plpgsql AS $$
    BEGIN INSERT INTO conformance.noted SELECT 'command', command_tag FROM pg_event_trigger_ddl_commands(); END $$;
  CREATE FUNCTION conformance.note_drop() RETURNS event_trigger SECURITY DEFINER SET search_path = pg_catalog LANGUAGE plpgsql AS $$
    BEGIN INSERT INTO conformance.noted SELECT 'drop', object_type FROM pg_event_trigger_dropped_objects() WHERE original; END $$;
  CREATE EVENT TRIGGER conformance_command ON ddl_command_end EXECUTE FUNCTION conformance.note_command();
  CREATE EVENT TRIGGER conformance_drop ON sql_drop EXECUTE FUNCTION conformance.note_drop();`;

const COUNTERS = `
  SELECT 'count', s.relid, s.schemaname, s.relname, s.n_tup_ins, s.n_tup_upd, s.n_tup_del,
    coalesce(s.seq_scan, 0) + coalesce(s.idx_scan, 0)
  FROM pg_catalog.pg_stat_xact_user_tables s
  WHERE s.schemaname OPERATOR(pg_catalog.<>) 'conformance'
    AND (s.n_tup_ins OPERATOR(pg_catalog.+) s.n_tup_upd OPERATOR(pg_catalog.+) s.n_tup_del OPERATOR(pg_catalog.+)
      coalesce(s.seq_scan, 0) OPERATOR(pg_catalog.+) coalesce(s.idx_scan, 0)) OPERATOR(pg_catalog.>) 0`;

const NOTES = `DELETE FROM conformance.noted RETURNING what, kind`;

const ancestorsOf = (ids: readonly string[]): string => `
  WITH RECURSIVE up (leaf, id) AS (
    SELECT c.oid, c.oid FROM pg_catalog.pg_class c WHERE c.oid OPERATOR(pg_catalog.=) ANY ('{${ids.join(',')}}'::pg_catalog.oid[])
    UNION SELECT up.leaf, i.inhparent FROM up JOIN pg_catalog.pg_inherits i ON i.inhrelid OPERATOR(pg_catalog.=) up.id)
  SELECT up.leaf, c.relname FROM up JOIN pg_catalog.pg_class c ON c.oid OPERATOR(pg_catalog.=) up.id`;

const DEFINES = /^\s*(create|alter|drop|reset|set|grant|revoke|do|call|comment)\b/i;

type Counters = ReadonlyMap<string, readonly [schema: string, name: string, ...counts: number[]]>;

/** Runs statements one after the other in a transaction and tells what each did. */
export class ServerOracle {
  private before: Counters = new Map();
  private known: Catalog | undefined;
  private readings = 0;

  constructor(private readonly session: RawSession) {}

  async begin(): Promise<void> {
    await this.session.exchange(query('BEGIN'), 1);
    await this.rows(NOTES);
    this.before = await this.counters();
  }

  /** Keeps what was done for the statements of later files; what can't be kept is undone. */
  async end(): Promise<void> {
    await this.session.exchange(query('COMMIT'), 1);
    await this.session.exchange(query('RESET SESSION AUTHORIZATION'), 1);
    await this.session.exchange(query('RESET ALL'), 1);
  }

  /** Runs it in a savepoint of its own; where it fails nothing of it stays. */
  async run(statement: ScriptStatement): Promise<Seen> {
    await this.session.exchange(query('SAVEPOINT conformance'), 1);
    const answers = await this.session.exchange(bytesOf(statement), 1);
    const [error] = errorsIn(answers);
    const failed = error !== undefined || answers.at(-1)?.body.toString() !== 'T';
    await this.session.exchange(query(failed ? 'ROLLBACK TO conformance' : 'RELEASE conformance'), 1);
    const notes = await this.rows(NOTES);
    const after = await this.counters();
    const grown = (at: number): string[] =>
      [...after]
        .filter(([id, now]) => (now[at] as number) > ((this.before.get(id)?.[at] ?? 0) as number))
        .map(([id]) => id);
    const [inserted, updated, deleted, scanned] = [grown(2), grown(3), grown(4), grown(5)] as const;
    const relations = await this.relations(after, [...inserted, ...updated, ...deleted, ...scanned]);
    this.before = after;
    // Definitions, and whatever may stand for one without an event. Their locks would hide what they defined.
    if (notes.length > 0 || DEFINES.test(statement.text)) await this.settle();
    const seen = (ids: readonly string[]): SeenRelation[] => ids.flatMap((id) => relations.get(id) ?? []);
    return {
      error: failed ? (error?.message ?? 'the transaction ended') : '',
      inserted: seen(inserted),
      updated: seen(updated),
      deleted: seen(deleted),
      scanned: seen(scanned),
      commands: notes.flatMap(([what, kind]) => (what === 'command' ? [kind ?? ''] : [])),
      dropped: notes.flatMap(([what, kind]) => (what === 'drop' ? [kind ?? ''] : [])),
    };
  }

  private async settle(): Promise<void> {
    this.known = undefined;
    await this.session.exchange(query('COMMIT'), 1);
    await this.session.exchange(query('BEGIN'), 1);
    this.before = await this.counters();
  }

  /** The schemas in which the session looks names up now, in order. */
  async searchPath(): Promise<readonly string[]> {
    const rows = await this.rows('SELECT s FROM pg_catalog.unnest(pg_catalog.current_schemas(true)) s (s)');
    return rows.map(([schema]) => schema ?? '');
  }

  /** The catalogue as this transaction sees it, read again only where something was defined since. */
  async catalog(): Promise<Catalog> {
    if (this.known !== undefined) return this.known;
    await this.session.exchange(query('SAVEPOINT conformance_catalog'), 1);
    const [[version, user, path, schemas] = []] = await this.rows(WHO);
    await this.session.exchange(query(EMPTY_PATH), 1);
    const parts: Record<string, (string | null)[][]> = {};
    for (const [part, text] of Object.entries(catalogQueries(Number(version)))) parts[part] = await this.rows(text);
    await this.session.exchange(query('ROLLBACK TO conformance_catalog; RELEASE conformance_catalog'), 1);
    this.readings += 1;
    const list = (cell: string | null | undefined): string[] => JSON.parse(cell ?? '[]') as string[];
    const head = {
      user: user ?? '',
      searchPath: list(path),
      schemas: new Set(list(schemas)),
      stamp: String(this.readings),
    };
    const made = createCatalog(head, parts as unknown as CatalogRows);
    if ('code' in made) throw new Error(`the catalogue can't be read: ${made.message}`);
    // The oracle's own event triggers are not the suite's.
    const { eventTriggerRoutines } = made;
    this.known = {
      ...made,
      eventTriggerRoutines: eventTriggerRoutines.filter(({ schema }) => schema !== 'conformance'),
    };
    return this.known;
  }

  /** Which of these names stand for no relation on the session's search path? */
  async missing(names: readonly { readonly schema: string; readonly name: string }[]): Promise<ReadonlySet<string>> {
    if (names.length === 0) return new Set();
    const quoted = names.map(({ schema, name }) =>
      [schema, name]
        .filter((part) => part !== '')
        .map(identifier)
        .join('.'),
    );
    const list = quoted.map((text) => `(${literal(text)})`).join(', ');
    const rows = await this.rows(`SELECT v.n FROM (VALUES ${list}) v (n) WHERE pg_catalog.to_regclass(v.n) IS NULL`);
    return new Set(rows.map(([name]) => name ?? ''));
  }

  private async counters(): Promise<Counters> {
    const rows = await this.rows(COUNTERS);
    return new Map(
      rows.map(([, id = '', schema = '', name = '', ...counts]) => [
        id ?? '',
        [schema ?? '', name ?? '', ...counts.map(Number)],
      ]),
    );
  }

  private async relations(counters: Counters, ids: readonly string[]): Promise<Map<string, SeenRelation>> {
    const found = new Map<string, SeenRelation>();
    if (ids.length === 0) return found;
    const above = new Map<string, string[]>();
    for (const [leaf, name] of await this.rows(ancestorsOf([...new Set(ids)])))
      above.set(leaf ?? '', [...(above.get(leaf ?? '') ?? []), name ?? '']);
    for (const id of ids) {
      const [schema, name] = counters.get(id) ?? ['', ''];
      found.set(id, { schema, name, names: [name, ...(above.get(id) ?? [])] });
    }
    return found;
  }

  private async rows(text: string): Promise<(string | null)[][]> {
    const answers = await this.session.exchange(query(text), 1);
    return answers.filter(({ type }) => type === 'D').map(cells);
  }
}

/** The end of COPY data goes along always: outside of a COPY the server passes over it. */
function bytesOf({ text, copyData }: ScriptStatement): Buffer {
  const data = copyData === undefined ? [] : [message('d', copyData)];
  return Buffer.concat([query(text), ...data, message('c', '')]);
}

function cells({ body }: WireMessage): (string | null)[] {
  const found: (string | null)[] = [];
  for (let at = 2; at < body.length;) {
    const length = body.readInt32BE(at);
    found.push(length < 0 ? null : body.toString('utf8', at + 4, at + 4 + length));
    at += 4 + Math.max(0, length);
  }
  return found;
}

/** As `to_regclass` reads it. */
export function identifier(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

function literal(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}

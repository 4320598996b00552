import type { Socket } from 'node:net';
import { HoopError } from '../../../core/errors.js';
import type { ColumnPattern, MaskRule, Strategy } from '../../../core/mask.js';
import type { ObjectName } from '../../../policy/types.js';
import type { ResultColumn } from '../../../protocols/postgres/columns.js';
import { ownQueries, type OwnSession } from './own-query.js';

/** Where the columns that masks name stand on the server, as it was read at one moment. */
export interface CatalogSnapshot {
  readonly readAtMs: number;
  /** Object ids of all relations of users: one that is not here was made since. */
  readonly relations: ReadonlySet<number>;
  /** `oid/attribute` of the columns whose names masks ask for. */
  readonly columns: ReadonlyMap<string, { readonly schema: string; readonly table: string; readonly column: string }>;
}

const READ_TIMEOUT_MS = 5_000;
/** Object ids below this belong to the system catalogue. */
const FIRST_USER_OID = 16_384;

/**
 * Reads the catalogue over a connection of the agent's own, with the session's credential, never on the client's.
 *
 * @param socket open, with TLS where the connection asks for it; closed afterwards
 * @throws HoopError upstream_unreachable
 */
export async function readCatalog(
  socket: Socket,
  session: OwnSession,
  names: readonly string[],
  nowMs: () => number,
): Promise<CatalogSnapshot> {
  const readAtMs = nowMs();
  const [relations = [], columns = []] = await ownQueries(
    socket,
    session,
    [RELATIONS, columnsNamed(names)],
    READ_TIMEOUT_MS,
  );
  return { readAtMs, relations: new Set(relations.map((row) => oid(row[0]))), columns: new Map(columns.map(origin)) };
}

const RELATIONS = `select oid from pg_catalog.pg_class where oid >= ${String(FIRST_USER_OID)}`;

function columnsNamed(names: readonly string[]): string {
  const listed = names.includes('*') ? '' : `and a.attname in (${['', ...names].map(literal).join(', ')})`;
  return `select a.attrelid, a.attnum, n.nspname, c.relname, a.attname
          from pg_catalog.pg_attribute a
          join pg_catalog.pg_class c on c.oid = a.attrelid
          join pg_catalog.pg_namespace n on n.oid = c.relnamespace
          where a.attnum > 0 and not a.attisdropped ${listed}`;
}

/** Under standard_conforming_strings, which this session sets, only the quote itself is special. */
function literal(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}

function origin(row: readonly (string | null)[]): readonly [string, { schema: string; table: string; column: string }] {
  const [relation, attribute, schema, table, column] = row;
  if (typeof schema !== 'string' || typeof table !== 'string' || typeof column !== 'string') throw unexpected();
  return [`${String(oid(relation))}/${String(oid(attribute))}`, { schema, table, column }];
}

function oid(cell: string | null | undefined): number {
  if (typeof cell !== 'string' || !/^\d{1,10}$/.test(cell)) throw unexpected();
  return Number(cell);
}

function unexpected(): HoopError {
  return new HoopError('upstream_unreachable', 'the catalogue is not of the form expected');
}

const STRENGTH: Readonly<Record<Strategy, number>> = { null: 5, redact: 4, replace: 3, hash: 2, partial: 1 };

/** Finds the strongest rule for a result column: by its origin where the wire tells one, else by its name. */
export function columnRule(
  rules: readonly MaskRule[],
  snapshot: CatalogSnapshot,
  column: ResultColumn,
): MaskRule | undefined {
  const origin = snapshot.columns.get(`${String(column.tableOid)}/${String(column.attribute)}`);
  const known = column.tableOid !== 0 && (column.tableOid < FIRST_USER_OID || snapshot.relations.has(column.tableOid));
  return strongest(
    rules.filter((rule) =>
      rule.columns.some((pattern) => {
        if (origin !== undefined) return meets(pattern, origin);
        // A table that was made after the catalogue was read, or no table at all: the name has to do.
        return !known && meetsName(pattern, column.name, column.tableOid !== 0);
      }),
    ),
  );
}

/** May one of these tables hold a masked column? Names without a schema could be any schema's. */
export function touchesColumns(
  rules: readonly MaskRule[],
  snapshot: CatalogSnapshot,
  tables: readonly ObjectName[],
): boolean {
  for (const origin of snapshot.columns.values()) {
    const named = tables.some(
      (table) => table.name === origin.table && (table.schema === '' || table.schema === origin.schema),
    );
    if (named && rules.some((rule) => rule.columns.some((pattern) => meets(pattern, origin)))) return true;
  }
  return false;
}

function strongest(rules: readonly MaskRule[]): MaskRule | undefined {
  return rules.reduce<MaskRule | undefined>(
    (best, rule) => (best === undefined || STRENGTH[rule.strategy] > STRENGTH[best.strategy] ? rule : best),
    undefined,
  );
}

function meets(
  pattern: ColumnPattern,
  origin: { readonly schema: string; readonly table: string; readonly column: string },
): boolean {
  return (
    part(pattern.schema, origin.schema) && part(pattern.table, origin.table) && part(pattern.column, origin.column)
  );
}

/** `*.NAME` meets a result column of that name, ignoring case; a table made since may be any that a pattern names. */
function meetsName(pattern: ColumnPattern, name: string, unknownTable: boolean): boolean {
  if (pattern.column === '*') return unknownTable;
  if (pattern.column.toLowerCase() !== name.toLowerCase()) return false;
  return unknownTable || pattern.table === '*';
}

function part(pattern: string, value: string): boolean {
  return pattern === '*' || pattern === value;
}

import { Client } from 'pg';
import type { ColumnPattern, MaskRule, Strategy } from '../../../core/mask.js';
import type { ObjectName } from '../../../policy/types.js';
import type { ResultColumn } from '../../../protocols/postgres/columns.js';

/** Where the columns that masks name stand on the server, as it was read at one moment. */
export interface CatalogSnapshot {
  readonly readAtMs: number;
  /** Object ids of all relations of users: one that is not here was made since. */
  readonly relations: ReadonlySet<number>;
  /** `oid/attribute` of the columns whose names masks ask for. */
  readonly columns: ReadonlyMap<string, { readonly schema: string; readonly table: string; readonly column: string }>;
}

export interface CatalogConnection {
  readonly host: string;
  readonly port: number;
  readonly database: string;
  readonly user: string;
  readonly password: string | undefined;
  /** An open socket, TLS where the connection asks for it. */
  openSocket(): Promise<import('node:net').Socket>;
}

const READ_TIMEOUT_MS = 5_000;
/** Object ids below this belong to the system catalogue. */
const FIRST_USER_OID = 16_384;

const COLUMNS = `select a.attrelid::text as oid, a.attnum as attribute, n.nspname as schema, c.relname as table, a.attname as column
             from pg_catalog.pg_attribute a
             join pg_catalog.pg_class c on c.oid = a.attrelid
             join pg_catalog.pg_namespace n on n.oid = c.relnamespace
             where a.attnum > 0 and not a.attisdropped and (a.attname = any($1) or $2)`;

/** Reads the catalogue over a connection of the agent's own, with the session's credential, never on the client's. */
export async function readCatalog(
  connection: CatalogConnection,
  names: readonly string[],
  nowMs: () => number,
): Promise<CatalogSnapshot> {
  const readAtMs = nowMs();
  const socket = await connection.openSocket();
  const client = new Client({
    user: connection.user,
    password: connection.password,
    database: connection.database,
    stream: () => Object.assign(socket, { connect: () => setImmediate(() => socket.emit('connect')) }),
    ssl: false,
    application_name: 'hoop catalog',
    query_timeout: READ_TIMEOUT_MS,
    connectionTimeoutMillis: READ_TIMEOUT_MS,
  });
  client.on('error', () => undefined);
  try {
    await client.connect();
    const relations = await client.query<{ oid: string }>({
      text: 'select oid::text as oid from pg_catalog.pg_class where oid >= $1',
      values: [FIRST_USER_OID],
    });
    const columns = await client.query<{
      oid: string;
      attribute: number;
      schema: string;
      table: string;
      column: string;
    }>({
      text: COLUMNS,
      values: [names, names.includes('*')],
    });
    return {
      readAtMs,
      relations: new Set(relations.rows.map((row) => Number(row.oid))),
      columns: new Map(
        columns.rows.map(({ oid, attribute, schema, table, column }) => [
          `${oid}/${String(attribute)}`,
          { schema, table, column },
        ]),
      ),
    };
  } finally {
    await client.end().catch(() => undefined);
    socket.destroy();
  }
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

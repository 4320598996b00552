import type { Socket } from 'node:net';
import { HoopError } from '../../../core/errors.js';
import { createCatalog } from '../../../protocols/postgres/catalog/create-catalog.js';
import {
  catalogQueries,
  EMPTY_PATH,
  OPENING,
  PROBE,
  WHO,
  type CatalogRows,
  type Rows,
} from '../../../protocols/postgres/catalog/queries.js';
import type { Catalog } from '../../../protocols/postgres/catalog/types.js';
import { ownQueries, type OwnSession } from './own-query.js';

const READ_TIMEOUT_MS = 10_000;

/** Order of the whole reading; the version changes only the texts. */
const PARTS = Object.keys(catalogQueries(0)) as (keyof CatalogRows)[];
const HEAD = [...OPENING, WHO, EMPTY_PATH, PROBE];
const WHO_AT = HEAD.indexOf(WHO);
const PROBE_AT = HEAD.indexOf(PROBE);

/**
 * Reads the catalogue over a connection of the agent's own, with the session's credential, never on the client's.
 * One query tells whether anything is other than in `previous`; if not, that is given back and nothing more is read.
 *
 * @param socket open, with TLS where the connection asks for it; closed afterwards
 * @param place what tells this database and credential from others
 * @throws HoopError upstream_unreachable
 */
export async function readCatalog(
  socket: Socket,
  session: OwnSession,
  place: string,
  previous: Catalog | undefined,
): Promise<Catalog> {
  const results = await ownQueries(socket, session, (sofar) => nextQuery(sofar, place, previous), READ_TIMEOUT_MS);
  const stamp = stampOf(results, place);
  if (previous?.stamp === stamp) return previous;
  const rows = Object.fromEntries(PARTS.map((part, index) => [part, results[HEAD.length + index] ?? []])) as unknown;
  const [, user, path, schemas] = results[WHO_AT]?.[0] ?? [];
  const head = {
    user: user ?? '',
    searchPath: textList(path),
    schemas: new Set(textList(schemas)),
  };
  const catalog = createCatalog({ ...head, stamp }, rows as CatalogRows, previous);
  if ('code' in catalog) throw unexpected();
  // What was withheld is asked for again as soon as this grows old.
  return isWhole(rows as CatalogRows) ? catalog : { ...catalog, stamp: `${stamp} in part` };
}

function nextQuery(results: readonly Rows[], place: string, previous: Catalog | undefined): string | undefined {
  const index = results.length;
  if (index < HEAD.length) return HEAD[index];
  if (index === HEAD.length && previous !== undefined && previous.stamp === stampOf(results, place)) return undefined;
  const part = PARTS[index - HEAD.length];
  return part === undefined ? undefined : catalogQueries(Number(results[WHO_AT]?.[0]?.[0] ?? 0))[part];
}

function stampOf(results: readonly Rows[], place: string): string {
  const [who, probe] = [results[WHO_AT]?.[0], results[PROBE_AT]?.[0]?.[0]];
  if (who === undefined || typeof probe !== 'string') throw unexpected();
  return `${place} ${JSON.stringify(who)} ${probe}`;
}

/** Were all texts to be had, or was something held by another transaction? */
function isWhole(rows: CatalogRows): boolean {
  return rows.relations.every((row) => row[8] === '0') && rows.routines.every((row) => row[14] === '0');
}

function textList(cell: string | null | undefined): readonly string[] {
  if (typeof cell !== 'string') throw unexpected();
  const value: unknown = JSON.parse(cell);
  if (!Array.isArray(value) || value.some((item) => typeof item !== 'string')) throw unexpected();
  return value as string[];
}

function unexpected(): HoopError {
  return new HoopError('upstream_unreachable', 'the catalogue is not of the form expected');
}

import type { HeldStatement } from '../../../protocols/contract.js';
import type { Rows } from '../../../protocols/postgres/catalog/queries.js';
import type { Catalog, NameLookup } from '../../../protocols/postgres/catalog/types.js';
import {
  bindMessage,
  describeMessage,
  executeMessage,
  parseMessage,
  queryMessage,
  syncMessage,
} from '../../../protocols/postgres/wire/messages.js';
import { quoted } from '../../../protocols/postgres/trial/trial-text.js';
import type { OwnAnswer, OwnConnection } from './own-connection.js';
import { rowsOf } from './own-query.js';

/** A trial waits this long for a lock, and then says so. */
const LOCK_TIMEOUT_MS = 1_000;
/** What a statement that is tried out may take. */
export const STATEMENT_TIMEOUT_MS = 5_000;

/** Of the portal that a text is run in: its rows are taken a few at a time, and the others counted. */
const PORTAL = 'hoop_trial';

const encoder = new TextEncoder();

/** One transaction over a connection of the agent's own in which a held statement is asked about. */
export class TrialSession {
  constructor(private readonly connection: OwnConnection) {}

  /** @param mode `read only`: nothing can be changed in it */
  async begin(mode: 'read only' | 'read write', catalog: Catalog, { searchPath }: NameLookup): Promise<void> {
    await this.query(`begin transaction ${mode}`);
    await this.query(`set local lock_timeout = ${String(LOCK_TIMEOUT_MS)}`);
    await this.query(`set local statement_timeout = ${String(STATEMENT_TIMEOUT_MS)}`);
    const schemas = (searchPath ?? []).filter((schema) => !/^pg_temp_\d+$/.test(schema));
    if (searchPath === undefined || searchPath === catalog.searchPath) return;
    await this.query(`set local search_path to ${schemas.length === 0 ? "''" : schemas.map(quoted).join(', ')}`);
  }

  /** @throws HoopError upstream_unreachable, with the SQLSTATE where the server refused */
  async query(text: string): Promise<Rows> {
    return rowsOf(await this.connection.ask(queryMessage(text)));
  }

  /** The same; undefined where the server refused, and as if it had not been asked. */
  async tryQuery(text: string): Promise<Rows | undefined> {
    await this.query('savepoint hoop_query');
    const answer = await this.connection.ask(queryMessage(text));
    if (answer.refused !== undefined) await this.query('rollback to savepoint hoop_query');
    return answer.refused === undefined ? rowsOf(answer) : undefined;
  }

  /** Runs a text with what is bound to the held statement. @param maxRows 0: all */
  run(text: string, held: HeldStatement, maxRows: number): Promise<OwnAnswer> {
    return this.connection.ask(
      parseMessage('', text, held.types),
      bindMessage(PORTAL, held),
      describeMessage('P', encoder.encode(PORTAL)),
      executeMessage(PORTAL, maxRows),
      syncMessage(),
    );
  }

  /** What else its commit would check is checked now. @returns the SQLSTATE where that fails */
  async checkDeferred(): Promise<string | undefined> {
    await this.query('savepoint hoop_deferred');
    const { refused } = await this.connection.ask(queryMessage('set constraints all immediate'));
    if (refused !== undefined) await this.query('rollback to savepoint hoop_deferred');
    return refused;
  }

  /** All rows of what was run, those taken before included; the SQLSTATE where the rest of them fail. */
  async countAll(run: OwnAnswer): Promise<number | string> {
    if (!run.suspended) return countOf(run.tag) ?? run.rows.length;
    const moved = await this.connection.ask(queryMessage(`move forward all in ${PORTAL}`));
    return moved.refused ?? run.rows.length + (countOf(moved.tag) ?? 0);
  }
}

/** `UPDATE 3`, `INSERT 0 3`. */
function countOf(tag: string): number | undefined {
  const count = / (\d+)$/.exec(tag)?.[1];
  return count === undefined ? undefined : Number(count);
}

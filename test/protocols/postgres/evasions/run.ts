import { type PostgresServer } from '../../../support/postgres-server.js';
import { errorsIn, openRawSession, type RawSession, type WireMessage } from '../../../support/raw-postgres.js';
import { query } from '../wire.js';
import type { Evasion, EvasionGroup } from './evasion.js';
import { harmIn, oracleSpec, type OracleSpec } from './oracles.js';
import { sendMessage } from './send.js';

/** The tables that every entry has in its own schema. */
const FIXTURE = `
  CREATE SCHEMA {s}; SET search_path = {s}, public;
  CREATE TABLE t (id int PRIMARY KEY, name text, active boolean NOT NULL DEFAULT true, parent int);
  INSERT INTO t VALUES (1, 'one', true, NULL), (2, 'two', false, 1), (3, 'three', true, 1);
  CREATE TABLE x (id int, t_id int, flag boolean); INSERT INTO x VALUES (1, 1, true), (2, 2, false);
  CREATE TABLE log (at int, what text);
  CREATE TABLE payments (id int PRIMARY KEY, customer int, card text);
  INSERT INTO payments VALUES (1, 1, 'PAID-4711'), (2, 2, 'PAID-4712');`;

export interface Outcome {
  readonly answers: readonly WireMessage[];
  readonly harm: boolean;
}

/** One side of the comparison: the same set-up and the same steps past hoop (`d`) and through it (`h`). */
export class EvasionRun {
  private readonly victims: RawSession[] = [];
  /** Sessions that look for harm, past hoop: opening one for each look took most of the time. */
  private readonly observers = new Map<string, RawSession>();

  /** @param dataFolder where the server keeps its files */
  constructor(
    private readonly server: PostgresServer,
    private readonly dataFolder: string,
    private readonly side: 'd' | 'h',
  ) {}

  /** Makes the group's database and in it a schema for each entry. */
  async setUp({ name, entries }: EvasionGroup): Promise<void> {
    const database = this.databaseOf(name);
    await this.server.createDatabase(database);
    const session = await openRawSession(this.server.port, { user: 'postgres', database });
    for (const entry of entries) {
      const fill = this.fillerFor(entry);
      const [error] = errorsIn(await session.exchange(query(fill(`${FIXTURE} ${entry.setup ?? ''}`)), 1));
      if (error !== undefined) throw new Error(`set-up of ${entry.id}: ${error.message}`);
      await session.exchange(query('RESET ALL'), 1);
      if (entry.victim)
        this.victims.push(
          await openRawSession(this.server.port, { user: 'postgres', application_name: fill('{s}{d}') }),
        );
    }
    session.end();
  }

  end(): void {
    for (const session of [...this.victims, ...this.observers.values()]) session.end();
  }

  /** Sends the entry's messages in a session of its own by that port; what came back, and what the oracle says. */
  async carryOut(port: number, group: string, entry: Evasion): Promise<Outcome> {
    const database = this.databaseOf(group);
    const fill = this.fillerFor(entry);
    const startup = Object.entries(entry.startup ?? {}).map(([name, value]) => [name, fill(value)]);
    const session = await openRawSession(port, { user: 'postgres', database, ...Object.fromEntries(startup) });
    try {
      if (!session.opening.some(({ type }) => type === 'Z')) return { answers: session.opening, harm: false };
      if (entry.startup === undefined) await session.exchange(query(fill('SET search_path = {s}, public')), 1);
      const spec = oracleSpec(entry.oracle);
      const before = await this.look(spec, session, database, fill);
      const answers: WireMessage[] = [];
      for (const sent of entry.send)
        answers.push(...(await sendMessage(session, sent, fill, (signature) => this.functionId(signature, database))));
      if (spec.kind === 'shows') return { answers, harm: answers.some(({ body }) => body.includes(spec.text)) };
      return { answers, harm: harmIn(spec.harm, before, await this.look(spec, session, database, fill)) };
    } finally {
      session.end();
    }
  }

  private databaseOf(group: string): string {
    return `evade_${this.side}_${group.replaceAll('-', '_')}`;
  }

  private fillerFor(entry: Evasion): (text: string) => string {
    const schema = `e_${entry.id.replaceAll('-', '_')}`;
    return (text) => text.replaceAll('{s}', schema).replaceAll('{d}', this.side).replaceAll('{data}', this.dataFolder);
  }

  private async look(
    spec: OracleSpec,
    session: RawSession,
    database: string,
    fill: (text: string) => string,
  ): Promise<readonly string[]> {
    if (spec.kind === 'shows') return [];
    const by = spec.in === 'session' ? session : await this.observer(database);
    // What can't be read any more is gone: an error gives no rows.
    const rows = await by.exchange(query(fill(spec.sql)), 1);
    return rows.filter(({ type }) => type === 'D').map(({ body }) => body.toString('latin1'));
  }

  private async observer(database: string): Promise<RawSession> {
    const known =
      this.observers.get(database) ?? (await openRawSession(this.server.port, { user: 'postgres', database }));
    this.observers.set(database, known);
    return known;
  }

  private async functionId(signature: string, database: string): Promise<number> {
    const [row] = await this.server.sql(`select '${signature}'::regprocedure::oid::int as id`, database);
    return Number(row?.['id']);
  }
}

import { Client } from 'pg';
import type { Connection, Submittable } from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type * as TrialPostgresModule from '../../src/dev/trial-postgres.js';
import type { TrialPostgres } from '../../src/dev/trial-postgres.js';
import { buildCli } from '../support/built-cli.js';

let database: TrialPostgres;

beforeAll(async () => {
  await buildCli();
  // The built one: it starts a thread from a file beside it.
  const built = new URL('../../dist/src/dev/trial-postgres.js', import.meta.url).href;
  const { startTrialPostgres } = (await import(built)) as typeof TrialPostgresModule;
  database = await startTrialPostgres();
});
afterAll(() => database.close());

/** What `pg` does not publish: single messages. */
interface Wire {
  parse(message: { readonly text: string; readonly name: string; readonly types: readonly number[] }): void;
  flush(): void;
  sync(): void;
  readonly stream: { destroy(): void };
  once(event: string, listener: () => void): void;
}

async function connect(): Promise<{ readonly client: Client; readonly wire: Wire }> {
  const client = new Client({ host: database.host, port: database.port, user: 'postgres', database: 'postgres' });
  client.on('error', () => undefined);
  await client.connect();
  return { client, wire: (client as unknown as { readonly connection: Wire }).connection };
}

interface CopyConnection {
  sendCopyFromChunk(rows: Buffer): void;
  endCopyFrom(): void;
}

/** A COPY for `pg`, which calls these as the server's messages come. */
class CopyRows implements Submittable {
  #failed = false;

  constructor(
    private readonly text: string,
    private readonly rows: string,
    private readonly done: () => void,
    private readonly fail: (error: Error) => void,
  ) {}

  submit(connection: Connection): void {
    connection.query(this.text);
  }

  handleCopyInResponse(connection: Connection & CopyConnection): void {
    connection.sendCopyFromChunk(Buffer.from(this.rows));
    connection.endCopyFrom();
  }

  handleError(error: Error): void {
    this.#failed = true;
    this.fail(error);
  }

  handleCommandComplete(): void {
    // ReadyForQuery follows.
  }

  handleReadyForQuery(): void {
    if (!this.#failed) this.done();
  }
}

describe('the trial database', () => {
  it('holds 8 customers and 40 payments', async () => {
    const { client } = await connect();
    const { rows } = await client.query(
      'SELECT (SELECT count(*) FROM customers)::int AS c, (SELECT count(*) FROM payments)::int AS p',
    );
    expect(rows).toEqual([{ c: 8, p: 40 }]);
    await client.end();
  });

  it('answers 20 connections with 20 parameters each, never with those of another', async () => {
    const ask = async (base: number): Promise<readonly number[]> => {
      const { client } = await connect();
      const answers: number[] = [];
      for (let n = 0; n < 20; n += 1) {
        const { rows } = await client.query<{ readonly v: number }>('SELECT $1::int AS v', [base + n]);
        answers.push(rows[0]?.v ?? -1);
      }
      await client.end();
      return answers;
    };
    const bases = Array.from({ length: 20 }, (_, index) => index * 100);
    const answers = await Promise.all(bases.map(ask));
    expect(answers).toEqual(bases.map((base) => Array.from({ length: 20 }, (_, n) => base + n)));
  });

  it('lets nobody in between Parse and Sync, and goes on when the one in between hangs up', async () => {
    const first = await connect();
    const second = await connect();
    const parsed = new Promise<void>((resolve) => first.wire.once('parseComplete', resolve));
    first.wire.parse({ text: 'SELECT 1', name: '', types: [] });
    first.wire.flush();
    await parsed;
    let answered = false;
    const waiting = second.client.query('SELECT 2 AS two').then(({ rows }) => {
      answered = true;
      return rows as unknown;
    });
    const third = connect();
    first.wire.stream.destroy();
    expect(answered).toBe(false);
    expect(await waiting).toEqual([{ two: 2 }]);
    await second.client.end();
    await (await third).client.end();
  });

  it('rolls back what a connection left open, and gives the next one a clean session', async () => {
    const { client, wire } = await connect();
    await client.query('BEGIN');
    await client.query("UPDATE customers SET city = 'nowhere'");
    wire.stream.destroy();
    const next = await connect();
    expect((await next.client.query("SELECT 1 FROM customers WHERE city = 'nowhere'")).rows).toEqual([]);
    await next.client.query("SET search_path TO 'pg_catalog'");
    await next.client.end();
    const last = await connect();
    expect((await last.client.query('SHOW search_path')).rows).toEqual([{ search_path: 'public' }]);
    await last.client.end();
  });

  it('takes 1,000 rows by COPY FROM STDIN, refuses bad ones, and goes on', async () => {
    const { client } = await connect();
    const copy = (rows: string): Promise<void> =>
      new Promise((resolve, reject) => {
        client.query(new CopyRows('/* by hand */ COPY copied FROM STDIN', rows, resolve, reject));
      });
    await client.query('CREATE TABLE copied (n int)');
    await copy(Array.from({ length: 1_000 }, (_, n) => `${String(n)}\n`).join(''));
    await expect(copy('1\nx\n')).rejects.toThrow('invalid input syntax for type integer');
    expect((await client.query('SELECT count(*)::int AS n FROM copied')).rows).toEqual([{ n: 1_000 }]);
    await client.end();
  });

  it('refuses COPY FROM STDIN by the extended protocol and goes on', async () => {
    const { client } = await connect();
    await expect(client.query('COPY customers FROM STDIN WHERE $1', [true])).rejects.toThrow('simple_protocol_only');
    expect((await client.query('SELECT 1 AS one')).rows).toEqual([{ one: 1 }]);
    await client.end();
  });
});

import { connect } from 'node:net';
import type { Client, Notification } from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { i32 } from '../protocols/postgres/wire.js';
import { openLocalPostgres, type LocalPostgres } from '../support/local-postgres.js';
import { missingPostgres } from '../support/postgres-server.js';

const CANCEL_REQUEST = 80_877_102;
const missing = missingPostgres();

describe.skipIf(missing !== undefined)(
  `two clients of one local port${missing === undefined ? '' : ` (skipped: ${missing})`}`,
  () => {
    let local: LocalPostgres;
    const open: Client[] = [];
    beforeAll(async () => (local = await openLocalPostgres()));
    afterAll(async () => {
      await Promise.all(open.map((client) => client.end()));
      await local.close();
    });

    async function client(): Promise<Client> {
      const made = local.client();
      await made.connect();
      open.push(made);
      return made;
    }

    /** Waits until the server runs a statement with this in it. */
    async function running(mark: string): Promise<void> {
      await expect
        .poll(() =>
          local.agent.postgres.sql(
            `select 1 from pg_stat_activity where state = 'active' and query like '%${mark}%' and pid <> pg_backend_pid()`,
          ),
        )
        .toHaveLength(1);
    }

    it('what one NOTIFYs the other hears while it is idle, in order, with the pid that the sender was given', async () => {
      const [listener, sender] = [await client(), await client()];
      const heard: Notification[] = [];
      const both = new Promise<void>((resolve) => {
        listener.on('notification', (message) => {
          if (heard.push(message) === 2) resolve();
        });
      });
      await listener.query('listen news');
      await sender.query("notify news, 'first'");
      await sender.query("select pg_notify('news', $1)", ['second']);
      await both;
      const { processID } = sender as unknown as { readonly processID: number };
      expect(heard.map(({ channel, payload, processId }) => [channel, payload, processId])).toEqual([
        ['news', 'first', processID],
        ['news', 'second', processID],
      ]);
      await listener.query('unlisten *');
    });

    it('a cancel by its own key ends the statement of one client, not the one that the other runs', async () => {
      const [one, other] = [await client(), await client()];
      const slow = one.query("select pg_sleep(600), 'slow-one'").then(
        () => 'ran',
        (error: unknown) => (error as { code: string }).code,
      );
      const kept = other.query("select pg_sleep(1.5), 'kept-other' as mark");
      await Promise.all([running('slow-one'), running('kept-other')]);
      const { processID, secretKey } = one as unknown as { readonly processID: number; readonly secretKey: number };
      connect(local.port, '127.0.0.1').end(Buffer.concat([16, CANCEL_REQUEST, processID, secretKey].map(i32)));
      expect(await slow).toBe('57014');
      expect((await kept).rows).toMatchObject([{ mark: 'kept-other' }]);
      expect((await one.query('select 1 as one')).rows).toEqual([{ one: 1 }]);
    });

    it('Ctrl-C in psql ends its own statement, and the session goes on', async () => {
      const other = await client();
      const kept = other.query("select pg_sleep(1.5), 'kept-beside' as mark");
      const { stdout, stderr, status } = await local.psql("select pg_sleep(600), 'by-psql';\nselect 'after';\n", {
        args: ['-A', '-t', '-v', 'ON_ERROR_STOP=0'],
        onStart: (child) => void running('by-psql').then(() => child.kill('SIGINT')),
      });
      expect(stderr).toContain('canceling statement due to user request');
      // psql stops reading a script at Ctrl-C.
      expect([0, 3]).toContain(status);
      expect(stdout.toString()).not.toContain('by-psql');
      expect((await kept).rows).toMatchObject([{ mark: 'kept-beside' }]);
    });
  },
);

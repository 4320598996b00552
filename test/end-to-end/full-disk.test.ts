import { execFileSync } from 'node:child_process';
import { appendFileSync, mkdirSync, readdirSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { Client, type DatabaseError } from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { WellKnown } from '../../src/identity/well-known.js';
import { verifyFolder } from '../../src/recording/proof/verify-folder.js';
import { makeAgentFolder, openPort, startTestAgent, type AgentFolder } from '../support/agent.js';
import { startAgentProcess, type AgentProcess } from '../support/agent-process.js';
import { missingPostgres } from '../support/postgres-server.js';
import { makeFolder } from '../support/folders.js';
import { openClient, refusal } from '../support/pg-client.js';
import { guardPolicy } from '../support/guard-policy.js';

const POLICIES = guardPolicy('1m');

async function client(port: number, database: string): Promise<Client> {
  return openClient({ port, database });
}

describe.skipIf(missingPostgres() !== undefined)('recordings that can not be written', () => {
  describe('on a disk that fills up', () => {
    let folder: AgentFolder;
    let agent: AgentProcess;
    let port: number;
    let events: Record<string, unknown>[] = [];
    let close: () => void;

    beforeAll(async () => {
      folder = await makeAgentFolder({ policies: POLICIES });
      agent = await startAgentProcess(folder, { fileKib: 400 });
      ({ port, close } = await openPort(
        agent.url,
        'postgres',
        await folder.issuer.token({ sub: 'ann', groups: ['engineering'] }),
      ));
    });

    afterAll(async () => {
      close();
      await agent.stop();
      await folder.issuer.close();
      await rm(folder.dir, { recursive: true, force: true });
    });

    it('refuses every further statement of that session with 58030, runs none, and keeps the others', async () => {
      const other = await client(port, folder.database);
      const full = await client(port, folder.database);
      let failed: DatabaseError | undefined;
      let answered = 0;
      for (let n = 1; failed === undefined && n <= 200; n += 1) {
        await full
          .query(`insert into contacts (id, email) values (${String(n + 1_000)}, '${'x'.repeat(10_000)}')`)
          .then(
            () => (answered += 1),
            (error: unknown) => (failed = error as DatabaseError),
          );
      }
      expect(failed).toMatchObject({
        severity: 'ERROR',
        code: '58030',
        message: 'hoop: the session can not be recorded, so nothing is run',
      });
      expect(answered).toBeGreaterThan(10);
      expect((await refusal(full.query('delete from contacts'))).code).toBe('58030');
      expect((await refusal(full.query('delete from contacts where $1 = 1', [1]))).code).toBe('58030');
      expect((await refusal(full.query('update payments set amount = 0 where id = 1'))).code).toBe('58030');
      expect((await refusal(full.query('begin'))).code).toBe('58030');
      expect(
        await folder.postgres.sql('select count(*)::int as n from contacts where id > 1000', folder.database),
      ).toEqual([{ n: answered }]);
      expect((await other.query('select 1 as one')).rows).toEqual([{ one: 1 }]);
      const fresh = await client(port, folder.database);
      expect((await fresh.query('select 2 as two')).rows).toEqual([{ two: 2 }]);
      for (const db of [full, other, fresh]) await db.end();
      expect(agent.running()).toBe(true);
      expect((await fetch(`${agent.url}/healthz`)).status).toBe(200);
    });

    it('refuses what is approved once the disk is full with 58030, and the agent stays up', async () => {
      const roomy = await startAgentProcess(await moved(folder));
      const opened = await openPort(
        roomy.url,
        'postgres',
        await folder.issuer.token({ sub: 'ann', groups: ['engineering'] }),
      );
      events = opened.events;
      const db = await client(opened.port, folder.database);
      const size = (): number => Math.max(...recordings(roomyDir).map((file) => statSync(file).size));
      while (size() < 1_000_000) await db.query(`select repeat('x', 2000) from generate_series(1, 100)`);
      const update = refusal(db.query('update payments set amount = 77 where id = 1'));
      const id = await requestAfter(0);
      // From now on no file may grow over what the recording has; the store's are smaller.
      execFileSync('prlimit', ['--pid', String(roomy.pid), `--fsize=${String(size())}`]);
      const reviewer = await folder.issuer.token({ sub: 'dana', groups: ['dba'] });
      const decided = await fetch(`${roomy.url}/v1/requests/${id}/approve`, {
        method: 'POST',
        headers: { authorization: `Bearer ${reviewer}`, 'content-type': 'application/json' },
        body: '{"reason":"ok"}',
      });
      expect(decided.status).toBe(200);
      expect((await update).code).toBe('58030');
      expect((await refusal(db.query('select 1'))).code).toBe('58030');
      expect(await folder.postgres.sql('select amount::text from payments where id = 1', folder.database)).toEqual([
        { amount: '10.50' },
      ]);
      expect(roomy.running()).toBe(true);
      await db.end();
      opened.close();
      await roomy.stop();
      await rm(roomyDir, { recursive: true, force: true });
    });

    let roomyDir = '';
    /** The same database and issuer behind an agent with files of its own. */
    async function moved(from: AgentFolder): Promise<AgentFolder> {
      const made = await makeAgentFolder({ policies: POLICIES, database: from.database, issuer: from.issuer });
      roomyDir = made.dir;
      return made;
    }

    const recordings = (dir: string): string[] =>
      readdirSync(join(dir, 'recordings'), { recursive: true })
        .map(String)
        .filter((name) => name.endsWith('.ndjson'))
        .map((name) => join(dir, 'recordings', name));

    async function requestAfter(from: number): Promise<string> {
      const found = (): Record<string, unknown> | undefined =>
        events.slice(from).find((event) => event['event'] === 'approval.waiting');
      await expect.poll(found, { timeout: 10_000, interval: 5 }).toBeDefined();
      return String(found()?.['request']);
    }
  });

  it('a recordings folder that is gone refuses new sessions with 58030, says so at /readyz, and serves again once it is back', async () => {
    const agent = await startTestAgent();
    const { port } = await agent.port();
    const early = await client(port, agent.database);
    const kept = `${agent.recordings}.kept`;
    renameSync(agent.recordings, kept);
    writeFileSync(agent.recordings, '');
    expect((await fetch(`${agent.agent.url}/readyz`)).status).toBe(503);
    const late = new Client({ host: '127.0.0.1', port, user: 'x', database: agent.database, ssl: false });
    late.on('error', () => undefined);
    const error = await refusal(late.connect());
    expect([error.severity, error.code]).toEqual(['FATAL', '58030']);
    expect(error.message).not.toContain(agent.dir);
    // A session under way writes to the file it has open.
    expect((await early.query('select 1 as one')).rows).toEqual([{ one: 1 }]);
    rmSync(agent.recordings);
    renameSync(kept, agent.recordings);
    const again = await client(port, agent.database);
    expect((await again.query('select 2 as two')).rows).toEqual([{ two: 2 }]);
    await again.end();
    await early.end();
    await agent.close();
  });

  const mountable = process.platform === 'linux' && canMount();
  it.skipIf(!mountable)(
    'a disk without room refuses statements and sessions with 58030; with room again new sessions work, those that failed stay refused, and all records hold',
    async () => {
      const folder = await makeAgentFolder();
      const disk = join(folder.dir, 'recordings');
      mkdirSync(disk, { mode: 0o700 });
      execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=256k,mode=0700', 'hoop-test', disk]);
      const shared = { dir: folder.dir, database: folder.database, issuer: folder.issuer };
      const agent = await startTestAgent(shared);
      try {
        const { port } = await agent.port();
        const early = await client(port, agent.database);
        await early.query('select 1');
        const filler = join(disk, 'filler');
        try {
          for (;;) appendFileSync(filler, Buffer.alloc(4_096));
        } catch (error) {
          expect(error).toMatchObject({ code: 'ENOSPC' });
        }
        // What is left of the last block of the file may still take a statement or two.
        const error = await refusal(
          (async () => {
            for (let n = 0; n < 50; n += 1) await early.query(`select '${'x'.repeat(1_000)}'`);
          })(),
        );
        expect([error.severity, error.code]).toEqual(['ERROR', '58030']);
        const late = new Client({ host: '127.0.0.1', port, user: 'x', database: agent.database, ssl: false });
        late.on('error', () => undefined);
        expect(await refusal(late.connect())).toMatchObject({ severity: 'FATAL', code: '58030' });
        rmSync(filler);
        const again = await client(port, agent.database);
        expect((await again.query('select 2 as two')).rows).toEqual([{ two: 2 }]);
        expect(await refusal(early.query('select 3'))).toMatchObject({ code: '58030' });
        await again.end();
        await early.end();
        const { recordingKeys } = (await (await fetch(`${agent.agent.url}/.well-known/hoop`)).json()) as WellKnown;
        await agent.close();
        const { ok, verified, breaks } = await verifyFolder(disk, { keys: recordingKeys });
        expect({ ok, verified, breaks }).toEqual({ ok: true, verified: 2, breaks: [] });
      } finally {
        execFileSync('umount', [disk]);
        await folder.issuer.close();
        await rm(folder.dir, { recursive: true, force: true });
      }
    },
  );
});

/** May this process mount a file system? */
function canMount(): boolean {
  const folder = makeFolder('mount');
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=64k', 'hoop-test', folder], { stdio: 'ignore' });
    execFileSync('umount', [folder]);
    return true;
  } catch {
    return false;
  } finally {
    rmSync(folder, { recursive: true });
  }
}

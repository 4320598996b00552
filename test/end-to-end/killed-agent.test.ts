import { randomInt } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { Client } from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { WellKnown } from '../../src/identity/well-known.js';
import { verifyFolder } from '../../src/recording/proof/verify-folder.js';
import { makeAgentFolder, openPort, type AgentFolder } from '../support/agent.js';
import { startAgentProcess } from '../support/agent-process.js';
import { missingPostgres } from '../support/postgres-server.js';

const ROUNDS = 6;

describe.skipIf(missingPostgres() !== undefined)('an agent killed during a session and started again', () => {
  let folder: AgentFolder;

  beforeAll(async () => {
    folder = await makeAgentFolder();
    await folder.postgres.sql(
      'create table acknowledged (round int, n int); grant all on acknowledged to hoop_app',
      folder.database,
    );
  });

  afterAll(async () => {
    await folder.issuer.close();
    await rm(folder.dir, { recursive: true, force: true });
  });

  const recordings = (): string[] =>
    readdirSync(join(folder.dir, 'recordings'), { recursive: true })
      .map(String)
      .filter((name) => name.endsWith('.ndjson'))
      .map((name) => readFileSync(join(folder.dir, 'recordings', name), 'utf8'));

  /** Statements one after another until the agent dies; the numbers of those that were answered. */
  async function work(port: number, round: number, onAnswer: () => void): Promise<number[]> {
    const db = new Client({ host: '127.0.0.1', port, user: 'x', database: folder.database, ssl: false });
    db.on('error', () => undefined);
    const answered: number[] = [];
    try {
      await db.connect();
      for (let n = 1; ; n += 1) {
        await db.query(`insert into acknowledged values (${String(round)}, ${String(n)})`);
        answered.push(n);
        onAnswer();
      }
    } catch {
      return answered;
    }
  }

  it(`${String(ROUNDS)} times after a random number of answers has every answered and every executed statement in the record, sealed and verified`, async () => {
    const answered = new Map<number, number[]>();
    const token = await folder.issuer.token({ sub: 'ann', groups: ['engineering'] });
    for (let round = 1; round <= ROUNDS; round += 1) {
      const agent = await startAgentProcess(folder);
      const { port, close } = await openPort(agent.url, 'postgres', token);
      let left = randomInt(6, 300);
      let sessions: Promise<number[]>[] = [];
      await new Promise<void>((resolve) => {
        const count = (): void => void ((left -= 1) === 0 && resolve());
        sessions = [work(port, round, count), work(port, round + 100, count)];
        void Promise.all(sessions).then(() => resolve());
      });
      await agent.kill();
      close();
      for (const [index, done] of (await Promise.all(sessions)).entries()) answered.set(round + index * 100, done);
    }
    const agent = await startAgentProcess(folder);
    const card = (await (await fetch(`${agent.url}/.well-known/hoop`)).json()) as WellKnown;
    await agent.stop();

    const recorded = new Set(
      recordings().flatMap((text) =>
        [...text.matchAll(/"text":"insert into acknowledged values \((\d+, \d+)\)"/g)].map((match) => match[1]),
      ),
    );
    expect([...answered.values()].flat().length).toBeGreaterThan(ROUNDS * 5);
    for (const [round, numbers] of answered)
      for (const n of numbers) expect(recorded).toContain(`${String(round)}, ${String(n)}`);
    // More than was asked: what ran without its answer arriving is in the record too.
    for (const { round, n } of await folder.postgres.sql('select round, n from acknowledged', folder.database))
      expect(recorded).toContain(`${String(round)}, ${String(n)}`);
    for (const text of recordings()) expect(text.trimEnd().split('\n').at(-1)).toContain('"type":"seal"');
    const result = await verifyFolder(join(folder.dir, 'recordings'), { keys: card.recordingKeys });
    expect(result.breaks).toEqual([]);
    expect(result).toMatchObject({ ok: true, verified: recordings().length });
  }, 180_000);
});

import { rm } from 'node:fs/promises';
import { connect, type Socket } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { cstring, i32, query } from '../protocols/postgres/wire.js';
import { makeAgentFolder, openPort, type AgentFolder } from '../support/agent.js';
import { startAgentProcess, type AgentProcess } from '../support/agent-process.js';
import { missingPostgres } from '../support/postgres-server.js';

const ROWS = 200_000;
const PII = `
apiVersion: hoop/v1
kind: Policy
metadata: { name: pii }
spec:
  match: { groups: [masked] }
  mask: [{ name: pii, entities: [email, credit-card, us-ssn, phone], strategy: partial }]
`;

/** Counts the rows of one answer, and their bytes, without keeping them. */
class RowCounter {
  rows = 0;
  done = false;
  #held: Buffer = Buffer.alloc(0);

  push(chunk: Buffer): void {
    const bytes = this.#held.length === 0 ? chunk : Buffer.concat([this.#held, chunk]);
    let at = 0;
    while (bytes.length - at >= 5 && at + 1 + bytes.readUInt32BE(at + 1) <= bytes.length) {
      if (bytes[at] === 0x44) this.rows += 1;
      this.done = bytes[at] === 0x5a;
      at += 1 + bytes.readUInt32BE(at + 1);
    }
    this.#held = bytes.subarray(at);
  }
}

describe.skipIf(missingPostgres() !== undefined)('a client that stops reading in the midst of 200 MB', () => {
  let folder: AgentFolder;
  let agent: AgentProcess;

  beforeAll(async () => {
    folder = await makeAgentFolder({ policies: PII });
    agent = await startAgentProcess(folder);
  });

  afterAll(async () => {
    await agent.stop();
    await folder.issuer.close();
    await rm(folder.dir, { recursive: true, force: true });
  });

  it.each(['plain', 'masked'])(
    'costs the agent less than 60 MiB, and gets all rows when it goes on (%s)',
    async (kind) => {
      const { port, close } = await openPort(
        agent.url,
        'postgres',
        await folder.issuer.token({ sub: kind, groups: ['engineering', kind] }),
      );
      const counter = new RowCounter();
      const warm = await session(port, counter);
      warm.write(query(`select repeat('x', 1000) from generate_series(1, 20000)`));
      await expect.poll(() => counter.done && counter.rows === 20_000, { timeout: 20_000 }).toBe(true);
      counter.rows = 0;
      const before = agent.residentMib();
      warm.write(query(`select repeat('x', 1000) from generate_series(1, ${String(ROWS)})`));
      await expect.poll(() => counter.rows, { timeout: 10_000, interval: 1 }).toBeGreaterThan(100);
      warm.pause();
      let most = 0;
      for (let look = 0; look < 20; look += 1) {
        await new Promise((resolve) => setTimeout(resolve, 50));
        most = Math.max(most, agent.residentMib());
      }
      expect(counter.rows).toBeLessThan(ROWS);
      warm.resume();
      await expect
        .poll(
          () => {
            most = Math.max(most, agent.residentMib());
            return counter.done && counter.rows >= ROWS;
          },
          { timeout: 30_000, interval: 50 },
        )
        .toBe(true);
      expect(counter.rows).toBe(ROWS);
      expect(most - before).toBeLessThan(60);
      warm.destroy();
      close();
    },
    60_000,
  );

  async function session(port: number, counter: RowCounter): Promise<Socket> {
    const socket = connect(port, '127.0.0.1').on('error', () => undefined);
    const body = Buffer.concat([i32(196608), cstring('user'), cstring('x'), Buffer.from([0])]);
    socket.on('data', (chunk: Buffer) => {
      counter.push(chunk);
    });
    socket.write(Buffer.concat([i32(body.length + 4), body]));
    await expect.poll(() => counter.done, { timeout: 10_000 }).toBe(true);
    return socket;
  }
});

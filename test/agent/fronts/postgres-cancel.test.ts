import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTestAgent, type TestAgent } from '../../support/agent.js';
import { missingPostgres, sharedPostgres } from '../../support/postgres-server.js';
import { rawSession } from '../../support/raw-session.js';
import { errorFields, i32, query } from '../../protocols/postgres/wire.js';

const CANCEL_REQUEST = 80_877_102;

/** In front of a server: what a cancel sends is held back until it is let go. */
async function cancelsHeldBack(port: number): Promise<{ port: number; held: (() => void)[]; close(): void }> {
  const held: (() => void)[] = [];
  const server = createServer({ allowHalfOpen: true }, (client: Socket) => {
    const upstream = connect(port, '127.0.0.1');
    for (const socket of [client, upstream]) socket.on('error', () => socket.destroy());
    client.once('data', (first) => {
      const go = (): void => {
        upstream.write(first);
        client.pipe(upstream);
      };
      if (first.length === 16 && first.readUInt32BE(4) === CANCEL_REQUEST) held.push(go);
      else go();
    });
    upstream.pipe(client);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { port: (server.address() as AddressInfo).port, held, close: () => server.close() };
}

describe.skipIf(missingPostgres() !== undefined)('a cancel through the agent', () => {
  let agent: TestAgent;
  let server: Awaited<ReturnType<typeof cancelsHeldBack>>;
  let port: number;

  beforeAll(async () => {
    const postgres = await sharedPostgres();
    server = await cancelsHeldBack(postgres.port);
    agent = await startTestAgent({ serverPort: server.port });
    ({ port } = await agent.port());
  });

  afterAll(async () => {
    await agent.close();
    server.close();
  });

  it('ends when the server has taken it, so that it can never hit what the client sends next', async () => {
    const session = await rawSession(port);
    session.send(query('select pg_sleep(30)'));
    const { processId, secretKey } = session.cancelKey;
    const cancel = connect(port, '127.0.0.1');
    let ended = false;
    const end = new Promise<void>((resolve) => cancel.once('close', resolve));
    cancel.once('end', () => (ended = true)).resume();
    cancel.write(Buffer.concat([i32(16), i32(CANCEL_REQUEST), i32(processId), i32(secretKey)]));
    await expect.poll(() => server.held.length, { timeout: 10_000 }).toBe(1);
    // Whatever else is on its way has come after a round trip of another session.
    const other = await rawSession(port);
    other.send(query('select 1'));
    await other.until('Z', 1);
    expect(ended).toBe(false);
    server.held[0]?.();
    await end;
    session.send(query('select 2'));
    const messages = await session.until('Z', 2);
    const [error] = messages.filter(({ type }) => type === 'E');
    expect(errorFields(error!.body)['C']).toBe('57014');
    expect(messages.map(({ type }) => type).join('')).toMatch(/EZ.*TDCZ$/);
    session.end();
    other.end();
  });
});

import { createServer, type ServerResponse } from 'node:http';
import { connect, type AddressInfo, type Socket } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { KeptStream } from '../../../../../src/agent/fronts/http/answers/kept-stream.js';
import type { HttpCaller } from '../../../../../src/agent/sessions/session-host.js';

/** A caller whose token may begin something new for so long, clocks counted in. */
const callerFor = (leftMs: number): HttpCaller =>
  ({ identity: { expiresAt: (Date.now() + leftMs - 60_000) / 1_000 } }) as unknown as HttpCaller;

describe('a stream that HTTP clients keep open', () => {
  const held: ServerResponse[] = [];
  let refused: string[];
  let leftMs: number;
  const streams = new WeakMap<object, KeptStream>();
  const server = createServer({ keepAliveTimeout: 0 }, (request, response) => {
    try {
      streams.get(request.socket)?.begin(response);
      held.push(response);
    } catch (error) {
      refused.push((error as Error).message);
    }
  });
  server.on('connection', (socket) => {
    streams.set(socket, new KeptStream(callerFor(leftMs), socket));
  });
  let client: Socket;
  let received: string;
  let ended: boolean;

  beforeEach(async () => {
    [refused, received, ended] = [[], '', false];
    if (!server.listening) await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  });
  afterEach(() => {
    client.destroy();
    held.length = 0;
    server.closeAllConnections();
    server.close();
  });

  const open = (left: number): void => {
    leftMs = left;
    client = connect({ host: '127.0.0.1', port: (server.address() as AddressInfo).port });
    client.on('data', (part: Buffer) => (received += part.toString())).on('end', () => (ended = true));
  };
  const ask = (): void => {
    client.write('GET / HTTP/1.1\r\nhost: x\r\n\r\n');
  };

  /** One that was opened later with as long a token, and is idle, has been closed. */
  const tokensEnd = async (): Promise<void> => {
    const idle = connect({ host: '127.0.0.1', port: (server.address() as AddressInfo).port });
    await new Promise<void>((resolve) => idle.once('end', resolve).resume());
    idle.destroy();
  };

  it('is closed when its token ends while nothing is under way', async () => {
    open(50);
    await expect.poll(() => ended, { timeout: 10_000 }).toBe(true);
    expect(received).toBe('');
  });

  it('lets a request that is under way come to its end, and is closed then', async () => {
    open(300);
    ask();
    await expect.poll(() => held.length, { timeout: 10_000 }).toBe(1);
    await tokensEnd();
    expect(ended).toBe(false);
    held[0]?.end('answered');
    await expect.poll(() => ended, { timeout: 10_000 }).toBe(true);
    expect(received).toContain('answered');
  });

  it('runs nothing that comes after its token has ended', async () => {
    open(300);
    ask();
    await expect.poll(() => held.length, { timeout: 10_000 }).toBe(1);
    await tokensEnd();
    ask();
    held[0]?.end('answered');
    await expect.poll(() => ended, { timeout: 10_000 }).toBe(true);
    expect(held).toHaveLength(1);
  });

  it('stays open between two requests while its token is good', async () => {
    open(60_000);
    for (const count of [1, 2]) {
      ask();
      await expect.poll(() => held.length, { timeout: 10_000 }).toBe(count);
      held[count - 1]?.end('answered');
    }
    await expect.poll(() => received.split('answered').length, { timeout: 10_000 }).toBe(3);
    expect(ended).toBe(false);
  });
});

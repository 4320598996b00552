import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { WebSocket, WebSocketServer } from 'ws';
import type { Fault } from '../../src/core/errors.js';
import { acceptTunnel } from '../../src/tunnel/accept.js';
import { encodeHeader, FRAME } from '../../src/tunnel/frames.js';

const closing: (() => void)[] = [];
afterEach(() => {
  for (const close of closing.splice(0)) close();
});

/** An agent's end of one tunnel, and a peer that says to it what it likes. */
async function tunnel() {
  const http = createServer();
  const server = new WebSocketServer({ server: http, perMessageDeflate: false, maxPayload: 4 << 20 });
  await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve));
  let closed: { fault: Fault | undefined } | undefined;
  const accepted = new Promise<WebSocket>((resolve) => {
    server.on('connection', (socket, request) => {
      acceptTunnel(socket, { wire: request.socket, tickMs: 20, onClose: (fault) => (closed = { fault }) });
      resolve(socket);
    });
  });
  const peer = new WebSocket(`ws://127.0.0.1:${String((http.address() as AddressInfo).port)}`);
  closing.push(() => {
    peer.terminate();
    http.closeAllConnections();
    http.close();
  });
  await once(peer, 'open');
  const socket = await accepted;
  return { socket, peer, closed: () => closed };
}

/** Streams that nobody needs, one behind the other: above the limit each is answered. */
function opens(from: number, count: number): Buffer {
  return Buffer.concat(Array.from({ length: count }, (_, index) => encodeHeader(FRAME.open, from + index, 0)));
}

describe('a peer that asks and does not read the answers', () => {
  it('fills no more than some MiB of memory, and is given up like one that is dead', async () => {
    const { socket, peer, closed } = await tunnel();
    const wire = (peer as unknown as { readonly _socket: Socket })._socket;
    wire.pause();
    const most = { bytes: 0 };
    const watch = setInterval(() => (most.bytes = Math.max(most.bytes, socket.bufferedAmount)), 1);
    for (let round = 0; round < 100; round += 1) peer.send(opens(1 + round * 10_000, 10_000));
    await expect.poll(closed, { timeout: 30_000 }).toBeDefined();
    clearInterval(watch);
    expect(closed()?.fault).toMatchObject({ code: 'unreachable' });
    // Without a bound it is all of the answers: more than 80 MB.
    expect(most.bytes).toBeLessThan(32 << 20);
  });

  it('goes on where it only was slow: every answer comes, and a stream of its own after them', async () => {
    const { socket, peer, closed } = await tunnel();
    const wire = (peer as unknown as { readonly _socket: Socket })._socket;
    let got = 0;
    peer.on('message', (data: Buffer) => (got += data.length));
    wire.pause();
    for (let round = 0; round < 30; round += 1) peer.send(opens(1 + round * 10_000, 10_000));
    await expect.poll(() => socket.isPaused, { timeout: 10_000, interval: 5 }).toBe(true);
    wire.resume();
    // 1,024 are taken; each other is answered in more than 60 bytes.
    await expect.poll(() => got, { timeout: 30_000 }).toBeGreaterThan(298_900 * 60);
    expect(closed()).toBeUndefined();
  });
});

// One WebSocket with many streams against one WebSocket for each: the question of src/tunnel/README.md, in figures.
//
//   npx tsx scripts/bench/tunnel-shape.ts
//
// Loopback, both ends in this process, so that what is compared is the same but for the shape.
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { WebSocketServer } from 'ws';
import { acceptTunnel } from '../../src/tunnel/accept.js';
import { dialTunnel, type TunnelClient } from '../../src/tunnel/dial.js';
import type { TunnelStream } from '../../src/tunnel/stream.js';

const CONNECTIONS = 8;
const ROUNDS = 1_500;
const SMALL_BYTES = 60;
const BULK_BYTES = 48 << 20;
const PIECE_BYTES = 64 * 1024;
const OPENED = 200;

const sockets = new WebSocketServer({ noServer: true, perMessageDeflate: false });
const http = createServer();
http.on('upgrade', (request, socket, head) => {
  sockets.handleUpgrade(request, socket, head, (webSocket) => {
    acceptTunnel(webSocket, { onClose: () => undefined }).onStream((stream) => {
      stream.onData((bytes) => {
        if (!stream.write(bytes)) stream.pause();
      });
      stream.onDrain(() => {
        stream.resume();
      });
      stream.onEnd(() => {
        stream.end();
      });
    });
  });
});
await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve));
const agentUrl = `http://127.0.0.1:${String((http.address() as AddressInfo).port)}`;
const tunnels: TunnelClient[] = [];
const dial = async (): Promise<TunnelClient> => {
  const tunnel = await dialTunnel({ agentUrl, connection: 'x', token: 't', env: {} });
  tunnels.push(tunnel);
  return tunnel;
};

/** Milliseconds and CPU milliseconds of a piece of work. */
async function timed(work: () => Promise<unknown>): Promise<{ readonly ms: number; readonly cpuMs: number }> {
  const cpu = process.cpuUsage();
  const start = performance.now();
  await work();
  const ms = performance.now() - start;
  const used = process.cpuUsage(cpu);
  return { ms, cpuMs: (used.user + used.system) / 1_000 };
}

/** Sends `totalBytes` in pieces and waits until all of them have come back. */
function echo(stream: TunnelStream, totalBytes: number, pieceBytes: number, pingPong: boolean): Promise<void> {
  return new Promise((resolve, reject) => {
    const piece = new Uint8Array(pieceBytes);
    let sent = 0;
    let got = 0;
    const send = (): void => {
      while (sent < totalBytes) {
        sent += piece.length;
        if (!stream.write(piece) || pingPong) return;
      }
    };
    stream.onData((bytes) => {
      got += bytes.length;
      if (got >= totalBytes) resolve();
      else if (pingPong && got === sent) send();
    });
    stream.onDrain(() => {
      if (!pingPong) send();
    });
    stream.onClose((fault) => {
      reject(new Error(fault?.message ?? 'closed'));
    });
    send();
  });
}

async function shape(name: string, open: () => Promise<TunnelStream>): Promise<void> {
  const streams = async (): Promise<TunnelStream[]> => Promise.all(Array.from({ length: CONNECTIONS }, open));
  const small = await timed(async () =>
    Promise.all((await streams()).map((stream) => echo(stream, ROUNDS * SMALL_BYTES, SMALL_BYTES, true))),
  );
  const bulk = await timed(async () =>
    Promise.all((await streams()).map((stream) => echo(stream, BULK_BYTES / CONNECTIONS, PIECE_BYTES, false))),
  );
  const opening = await timed(async () => {
    for (let count = 0; count < OPENED; count += 1) await echo(await open(), 1, 1, true);
  });
  const row = [
    name.padEnd(30),
    `${((CONNECTIONS * ROUNDS) / (small.ms / 1_000)).toFixed(0).padStart(7)} round trips/s (${((small.cpuMs * 1_000) / (CONNECTIONS * ROUNDS)).toFixed(0)} µs CPU each)`,
    `${(BULK_BYTES / (1 << 20) / (bulk.ms / 1_000)).toFixed(0).padStart(5)} MiB/s`,
    `${(opening.ms / OPENED).toFixed(2).padStart(6)} ms to the first byte of a new connection`,
  ];
  console.log(row.join('  '));
}

const shared = await dial();
const streamed = async (): Promise<TunnelStream> => Promise.resolve(shared.openStream());
const socketed = async (): Promise<TunnelStream> => (await dial()).openStream();
for (let round = 0; round < 2; round += 1) {
  await shape('one WebSocket, 8 streams', streamed);
  await shape('a WebSocket for each of 8', socketed);
}
for (const tunnel of tunnels) tunnel.close();
http.closeAllConnections();
http.close();

import { connect, type Socket } from 'node:net';
import { MessageReader } from './message-reader.js';

/** Where requests go, and what each of them is, head and body. */
export interface LoadTarget {
  readonly port: number;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
}

export interface Answered {
  readonly status: number;
  readonly ms: number;
}

/** What one streamed answer was like. */
export interface Streamed {
  /** From the start of the connection to the first event with text, in ms. */
  readonly firstMs: number;
  /** Between the events that followed, in ms. */
  readonly gapsMs: readonly number[];
}

function requestBytes({ path, headers }: LoadTarget, body: string): Buffer {
  const lines = Object.entries({
    host: '127.0.0.1',
    'content-type': 'application/json',
    ...headers,
    'content-length': String(Buffer.byteLength(body)),
  }).map(([name, value]) => `${name}: ${value}\r\n`);
  return Buffer.from(`POST ${path} HTTP/1.1\r\n${lines.join('')}\r\n${body}`);
}

const statusIn = (head: string): number => Number(head.split(' ')[1]);

/** A connection that asks the same again and again until it is told to stop. */
function askAgain(target: LoadTarget, body: string, until: number, latencies: number[]): Promise<void> {
  const request = requestBytes(target, body);
  const socket = connect({ port: target.port, host: '127.0.0.1', noDelay: true });
  return new Promise((resolve, reject) => {
    let startedMs = 0;
    let status = 0;
    const ask = (): void => {
      startedMs = performance.now();
      socket.write(request);
    };
    const reader = new MessageReader({
      head: (head) => (status = statusIn(head)),
      body: () => undefined,
      end: () => {
        const now = performance.now();
        if (status !== 200) return fail(new Error(`answered ${String(status)}`));
        latencies.push(now - startedMs);
        if (now < until) return ask();
        socket.end();
        resolve();
      },
    });
    const fail = (error: Error): void => {
      socket.destroy();
      reject(error);
    };
    socket
      .on('connect', ask)
      .on('data', (part) => reader.push(part))
      .on('error', reject);
    socket.on('close', () => reject(new Error('the connection was closed')));
  });
}

/** So many clients at once, each with a connection of its own that is kept, for so long. */
export async function loadRequests(
  target: LoadTarget,
  body: string,
  { clients, seconds }: { readonly clients: number; readonly seconds: number },
): Promise<{ readonly perSecond: number; readonly p50: number; readonly p99: number }> {
  const latencies: number[] = [];
  const startedMs = performance.now();
  const until = startedMs + seconds * 1000;
  await Promise.all(Array.from({ length: clients }, () => askAgain(target, body, until, latencies)));
  const took = (performance.now() - startedMs) / 1000;
  return { perSecond: latencies.length / took, p50: percentile(latencies, 50), p99: percentile(latencies, 99) };
}

/** A new connection that asks for a stream; `opened` is told at the first text. */
function openStream(
  target: LoadTarget,
  body: string,
  opened: () => void,
): { readonly socket: Socket; readonly done: Promise<Streamed> } {
  const startedMs = performance.now();
  const socket = connect({ port: target.port, host: '127.0.0.1', noDelay: true });
  const done = new Promise<Streamed>((resolve, reject) => {
    let [firstMs, lastMs] = [0, 0];
    let seen = '';
    const gapsMs: number[] = [];
    const reader = new MessageReader({
      head: (head) => {
        if (statusIn(head) !== 200) reject(new Error(`answered ${String(statusIn(head))}`));
      },
      body: (part) => {
        if (firstMs === 0) seen += part.toString();
        if (!part.includes('"delta":{"content":"')) return;
        const now = performance.now();
        if (firstMs === 0) {
          firstMs = now - startedMs;
          opened();
        } else gapsMs.push(now - lastMs);
        lastMs = now;
      },
      end: () => {
        socket.end();
        if (firstMs === 0) reject(new Error(`the stream held no text: ${seen.slice(0, 500)}`));
        else resolve({ firstMs, gapsMs });
      },
    });
    socket.on('connect', () => socket.write(requestBytes(target, body)));
    socket.on('data', (part) => reader.push(part)).on('error', reject);
    socket.on('close', () => reject(new Error('the connection was closed')));
  });
  return { socket, done };
}

/** So many new streams at once, to their ends. */
export function loadStreams(target: LoadTarget, body: string, count: number): Promise<readonly Streamed[]> {
  return Promise.all(Array.from({ length: count }, () => openStream(target, body, () => undefined).done));
}

/** Streams that run until they are let go of. @returns once all have had text */
export async function holdStreams(target: LoadTarget, body: string, count: number): Promise<() => void> {
  const sockets: Socket[] = [];
  const opened = Array.from(
    { length: count },
    () =>
      new Promise<void>((resolve, reject) => {
        const stream = openStream(target, body, resolve);
        stream.done.then(() => undefined, reject);
        sockets.push(stream.socket);
      }),
  );
  await Promise.all(opened);
  return () => {
    for (const socket of sockets) socket.destroy();
  };
}

export function percentile(numbers: readonly number[], percent: number): number {
  const sorted = [...numbers].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor((sorted.length * percent) / 100))] ?? NaN;
}

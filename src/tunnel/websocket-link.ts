import type { Socket } from 'node:net';
import { type RawData, type WebSocket } from 'ws';
import type { Fault } from '../core/errors.js';
import { Liveness } from './liveness.js';
import { Mux, type MuxOptions } from './mux.js';

/** Between two looks at whether the other end is still there, in ms. */
const TICK_MS = 1_000;
/** Largest WebSocket message taken; ours are at most 1 MiB. */
export const MAX_MESSAGE_BYTES = 4 << 20;
/** From so many bytes of answers that the other end has not taken on, the agent does not listen to more questions. */
const MAX_UNREAD_BYTES = 8 << 20;
/** The other end has closed the tunnel on purpose. */
const NORMAL_CLOSURE = 1000;

export type Wire = Pick<Socket, 'bytesRead' | 'cork' | 'once' | 'uncork'>;

export interface LinkOptions {
  /** Called once when the WebSocket is gone, after every stream was told. */
  readonly onClose: (fault?: Fault) => void;
  /** The connection below: what moves on it is a sign of life, also where a message takes long; it joins messages to one write. */
  readonly wire?: Wire | undefined;
  readonly resumption?: MuxOptions['resumption'];
  /** Tests make it shorter. */
  readonly tickMs?: number | undefined;
}

export interface WebSocketMux {
  readonly mux: Mux;
  /** Asks the other end for a sign of life now; without one within 3 s the tunnel is over. */
  readonly probe: () => void;
}

/** Runs a mux over an open WebSocket: binary messages only, pings, dead-peer detection. */
export function muxOverWebSocket(socket: WebSocket, role: MuxOptions['role'], options: LinkOptions): WebSocketMux {
  const mux = new Mux({
    role,
    resumption: options.resumption,
    schedule: setImmediate,
    link: {
      send: (bytes, done) => {
        socket.send(bytes, { binary: true, compress: false }, done);
      },
      together: (messages) => {
        options.wire?.cork();
        messages();
        options.wire?.uncork();
      },
      bufferedBytes: () => socket.bufferedAmount,
      close: () => {
        socket.close(NORMAL_CLOSURE);
      },
    },
  });
  let fault: Fault | undefined;
  const watch = watchLife(socket, options, () => {
    fault = { code: 'unreachable', message: 'the other end of the tunnel has stopped answering' };
    socket.terminate();
  });
  // The CLI reads whatever comes, so that both can't wait for each other.
  const heed = role === 'acceptor' ? heedReader(socket, options) : (): void => undefined;
  socket.on('message', (data: RawData, isBinary: boolean) => {
    watch.beat();
    if (isBinary) mux.receive(data as Buffer);
    else mux.close({ code: 'protocol', message: 'expected a binary WebSocket message, got text' });
    heed();
  });
  socket.on('ping', heed);
  socket.on('error', (error) => (fault ??= { code: 'unreachable', message: `tunnel: ${error.message}` }));
  socket.on('close', (code, reason) => {
    watch.stop();
    const told = reason.toString();
    if (code === NORMAL_CLOSURE && fault === undefined) mux.close();
    else {
      fault ??= { code: 'unreachable', message: told === '' ? `the tunnel closed (${String(code)})` : told };
      mux.lost(fault);
    }
    options.onClose(fault);
  });
  return { mux, probe: watch.probe };
}

/**
 * Streams have their credit, but streams that are refused, and pings, are answered whoever asks, however often: to one
 * that asks and does not read, nothing more is listened until it has read. Where it never does, it counts as dead.
 */
function heedReader(socket: WebSocket, { wire, tickMs }: LinkOptions): () => void {
  let paused = false;
  const listen = (): void => {
    if (socket.bufferedAmount > MAX_UNREAD_BYTES / 2) {
      wait();
      return;
    }
    paused = false;
    socket.resume();
  };
  const wait = (): void => {
    if (wire === undefined) setTimeout(listen, tickMs ?? TICK_MS).unref();
    else wire.once('drain', listen);
  };
  return () => {
    if (paused || socket.bufferedAmount <= MAX_UNREAD_BYTES) return;
    paused = true;
    socket.pause();
    wait();
  };
}

interface LifeWatch {
  beat(): void;
  readonly probe: () => void;
  stop(): void;
}

function watchLife(socket: WebSocket, { wire, tickMs }: LinkOptions, onDead: () => void): LifeWatch {
  const liveness = new Liveness();
  let read = 0;
  let unsent = 0;
  const ping = (): void => {
    if (socket.readyState === socket.OPEN) socket.ping();
  };
  const timer = setInterval(() => {
    const { bufferedAmount } = socket;
    // A message that takes long to come, or a queue that empties slowly: the other end lives.
    if ((wire?.bytesRead ?? 0) > read || bufferedAmount < unsent) liveness.beat();
    read = wire?.bytesRead ?? 0;
    unsent = bufferedAmount;
    const next = liveness.tick();
    if (next === 'ping') ping();
    else if (next === 'dead') onDead();
  }, tickMs ?? TICK_MS);
  timer.unref();
  socket.on('pong', () => {
    liveness.beat(true);
  });
  return {
    beat: () => {
      liveness.beat();
    },
    probe: () => {
      liveness.doubt();
      ping();
    },
    stop: () => {
      clearInterval(timer);
    },
  };
}

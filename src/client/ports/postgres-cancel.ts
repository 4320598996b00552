import type { Socket } from 'node:net';
import type { TunnelClient } from '../../tunnel/dial.js';
import { CANCEL_REQUEST, readPostgresOpening } from './postgres-opening.js';

/** A client that has not said what it wants by then is cut, as the agent would. */
const OPENING_TIMEOUT_MS = 15_000;
/** An agent that does not end the stream of a cancel in this time is not waited for. */
const CANCEL_TIMEOUT_MS = 5_000;

/**
 * Takes a cancel request off a local client while an agent goes, and brings it to every agent that may run the session:
 * the request does not say which one does, and one that does not know its key lets it pass. Anything else stays as if
 * nothing had been read.
 *
 * The client is ended when the last of them has taken it: what it sends next is not hit by it.
 *
 * @param tunnels those of agents that go, and the one in use
 * @returns whether it was a cancel
 * @throws ClientLeft, HoopError protocol
 */
export async function relayCancel(socket: Socket, tunnels: readonly TunnelClient[]): Promise<boolean> {
  const timer = setTimeout(() => socket.destroy(), OPENING_TIMEOUT_MS);
  try {
    const { packet, code, reader } = await readPostgresOpening(socket);
    if (code !== CANCEL_REQUEST) {
      reader.putBack(packet);
      return false;
    }
    await Promise.all(tunnels.map((tunnel) => sendCancel(tunnel, packet)));
    socket.end();
    return true;
  } finally {
    clearTimeout(timer);
  }
}

/** Resolves when the agent has taken it; never rejects. */
function sendCancel(tunnel: TunnelClient, packet: Uint8Array): Promise<void> {
  return new Promise((resolve) => {
    const stream = tunnel.openStream();
    const timer = setTimeout(() => {
      stream.destroy();
    }, CANCEL_TIMEOUT_MS);
    stream.onData(() => undefined);
    stream.onDrain(() => undefined);
    stream.onEnd(() => {
      stream.destroy();
    });
    stream.onClose(() => {
      clearTimeout(timer);
      resolve();
    });
    stream.write(packet);
    stream.end();
  });
}

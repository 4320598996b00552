import { openForward, type Forward } from '../../src/client/ports/forward.js';
import { listenOnPort } from '../../src/client/ports/local-listener.js';
import type { KeeperTime } from '../../src/client/tunnels/keeper-time.js';
import { type ConnectionEvent, TunnelKeeper } from '../../src/client/tunnels/tunnel-keeper.js';
import { dialTunnel } from '../../src/tunnel/dial.js';

export interface KeptPort {
  readonly port: number;
  readonly events: ConnectionEvent[];
  readonly keeper: TunnelKeeper;
  /** As the machine's sleep or another network does it. */
  wake(): void;
  close(): Promise<void>;
}

export interface KeptPortOptions {
  readonly agentUrl: string;
  readonly connection?: string;
  readonly type?: string;
  readonly token: () => Promise<string>;
  /** The watch for a dead peer looks every so many ms. */
  readonly tickMs?: number;
  /** Waits and deadlines of the keeper pass so many times faster. */
  readonly faster?: number;
  readonly portKeyHash?: string;
}

/** A local port as `hoop connect` keeps it: it outlives its tunnels. */
export async function openKeptPort(options: KeptPortOptions): Promise<KeptPort> {
  const { agentUrl, connection = 'postgres', type = 'postgres', tickMs, faster = 1, portKeyHash } = options;
  const events: ConnectionEvent[] = [];
  const listeners = new Set<() => void>();
  const keeper = new TunnelKeeper({
    connection,
    onEvent: (event) => events.push(event),
    wake: {
      onWake: (listener) => {
        listeners.add(listener);
        return () => listeners.delete(listener);
      },
    },
    time: timeAt(faster),
    dial: async () =>
      dialTunnel({
        agentUrl,
        connection,
        token: await options.token(),
        resumes: true,
        env: {},
        ...(tickMs === undefined ? {} : { tickMs }),
        ...(portKeyHash === undefined ? {} : { portKeyHash }),
      }),
  });
  await keeper.start();
  const forward: Forward = await openForward({
    connection,
    type,
    listen: (server) => listenOnPort(server, '127.0.0.1', 0),
    keeper,
    onEvent: (event) => events.push(event),
  });
  return {
    port: 'port' in forward.address ? forward.address.port : 0,
    events,
    keeper,
    wake: () => {
      for (const listener of listeners) listener();
    },
    close: () => forward.close(),
  };
}

function timeAt(faster: number): KeeperTime {
  return {
    nowMs: () => performance.now() * faster,
    after: (delayMs, task) => {
      const timer = setTimeout(task, delayMs / faster);
      return () => {
        clearTimeout(timer);
      };
    },
    random: () => 0,
  };
}

import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';

/** The two ways through the proxy. */
export type Direction = 'up' | 'down';

interface Pair {
  readonly client: Socket;
  readonly upstream: Socket;
}

/**
 * A TCP proxy that misbehaves as networks do: it cuts, stalls, delays, drops and closes half. It stands for a laptop's
 * sleep (stall), another network (cut), a NAT that has forgotten (drop), and an agent that is not there (refuse).
 */
export class CuttingProxy {
  /** Connections taken so far. */
  taken = 0;
  readonly #pairs = new Set<Pair>();
  #stalled = false;
  #refusing = false;
  #delayMs = 0;
  #dropping: ReadonlySet<Direction> = new Set();

  private constructor(
    private readonly server: Server,
    private readonly target: () => number,
  ) {}

  /** @param target the port behind it, asked for each connection */
  static async open(target: () => number): Promise<CuttingProxy> {
    const server = createServer({ noDelay: true, allowHalfOpen: true });
    const proxy = new CuttingProxy(server, target);
    server.on('connection', (client) => {
      proxy.#take(client);
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return proxy;
  }

  get port(): number {
    return (this.server.address() as AddressInfo).port;
  }

  get url(): string {
    return `http://127.0.0.1:${String(this.port)}`;
  }

  /** Connections that are through now. */
  get open(): number {
    return this.#pairs.size;
  }

  /** Resets every connection, both ways, at once. */
  cut(): void {
    for (const { client, upstream } of this.#pairs) {
      client.resetAndDestroy();
      upstream.resetAndDestroy();
    }
    this.#pairs.clear();
  }

  /** Nothing passes any more, on these connections and on new ones, and nobody is told; or it does again. */
  stall(stalled: boolean): void {
    this.#stalled = stalled;
    for (const { client, upstream } of this.#pairs) {
      if (stalled) {
        client.pause();
        upstream.pause();
      } else {
        client.resume();
        upstream.resume();
      }
    }
  }

  /** Bytes of these directions vanish, as behind a NAT that has forgotten the connection. */
  drop(...directions: readonly Direction[]): void {
    this.#dropping = new Set(directions);
  }

  /** Every piece arrives so much later. */
  delay(delayMs: number): void {
    this.#delayMs = delayMs;
  }

  /** New connections are reset at once, or taken again. */
  refuse(refusing: boolean): void {
    this.#refusing = refusing;
  }

  /** Ends the direction towards the agent, or towards the client, in good order; the other one stays. */
  halfClose(direction: Direction): void {
    for (const { client, upstream } of this.#pairs) (direction === 'up' ? upstream : client).end();
  }

  async close(): Promise<void> {
    this.cut();
    await new Promise<void>((resolve) =>
      this.server.close(() => {
        resolve();
      }),
    );
  }

  #take(client: Socket): void {
    client.on('error', () => undefined);
    if (this.#refusing) {
      client.resetAndDestroy();
      return;
    }
    this.taken += 1;
    const upstream = connect({ host: '127.0.0.1', port: this.target(), noDelay: true, allowHalfOpen: true });
    const pair: Pair = { client, upstream };
    this.#pairs.add(pair);
    this.#pipe(pair, 'up', client, upstream);
    this.#pipe(pair, 'down', upstream, client);
    if (this.#stalled) {
      client.pause();
      upstream.pause();
    }
  }

  #pipe(pair: Pair, direction: Direction, from: Socket, to: Socket): void {
    from.on('error', () => undefined);
    from.on('data', (bytes: Buffer) => {
      if (this.#dropping.has(direction)) return;
      const pass = (): void => {
        if (!to.destroyed && !to.writableEnded) to.write(bytes);
      };
      if (this.#delayMs === 0) pass();
      else setTimeout(pass, this.#delayMs);
    });
    from.on('end', () => to.end());
    from.on('close', () => {
      this.#pairs.delete(pair);
      to.destroySoon();
    });
  }
}

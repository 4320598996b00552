import { createServer, type Server } from 'node:http';
import { connect, type AddressInfo, type Socket } from 'node:net';

/** An HTTP proxy that knows CONNECT alone. */
export class ConnectProxy {
  /** `HOST:PORT` of each request, refused ones too. */
  readonly asked: string[] = [];
  readonly #sockets = new Set<Socket>();

  private constructor(private readonly server: Server) {}

  /** @param login `user:password`, where it wants one */
  static async open(options: { readonly login?: string; readonly status?: number } = {}): Promise<ConnectProxy> {
    const server = createServer();
    const proxy = new ConnectProxy(server);
    const wanted = options.login === undefined ? undefined : `Basic ${Buffer.from(options.login).toString('base64')}`;
    server.on('connection', (socket: Socket) => {
      proxy.#sockets.add(socket);
      socket.on('error', () => undefined).on('close', () => proxy.#sockets.delete(socket));
    });
    server.on('connect', (request, client: Socket, head: Buffer) => {
      proxy.asked.push(request.url ?? '');
      const refused = wanted !== undefined && request.headers['proxy-authorization'] !== wanted ? 407 : options.status;
      if (refused !== undefined) {
        client.end(`HTTP/1.1 ${String(refused)} No\r\ncontent-length: 0\r\n\r\n`);
        return;
      }
      const { hostname, port } = new URL(`http://${request.url ?? ''}`);
      // Names of tests lead to this machine, so that what goes through the proxy can be told from what does not.
      const host = hostname.endsWith('.test') ? '127.0.0.1' : hostname;
      const upstream = connect({ host, port: Number(port) }, () => {
        client.write('HTTP/1.1 200 Connection established\r\n\r\n');
        upstream.write(head);
        client.pipe(upstream).pipe(client);
      });
      upstream.on('error', () => client.destroy());
      client.on('close', () => upstream.destroy());
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return proxy;
  }

  get port(): number {
    return (this.server.address() as AddressInfo).port;
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise<void>((resolve) =>
      this.server.close(() => {
        resolve();
      }),
    );
  }
}

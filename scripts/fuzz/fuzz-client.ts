import type { Socket } from 'node:net';

const ANSWER_MS = 20_000;

/** A client that keeps every byte, and believes none. */
export class FuzzClient {
  bytes = Buffer.alloc(0);
  closed = false;
  #wake: () => void = () => undefined;

  constructor(private readonly socket: Socket) {
    socket.on('data', (part: Buffer) => {
      this.bytes = Buffer.concat([this.bytes, part]);
      this.#wake();
    });
    socket.on('error', () => undefined);
    socket.on('close', () => {
      this.closed = true;
      this.#wake();
    });
  }

  write(bytes: Buffer): void {
    if (this.socket.writable) this.socket.write(bytes);
  }

  /** Sends no more; what was asked for is still answered. */
  end(): void {
    this.socket.end();
  }

  destroy(): void {
    this.socket.destroy();
  }

  /** Resolves once it holds; throws where it can't any more, or does not in time. */
  async until(holds: () => boolean, what: string): Promise<void> {
    const endsMs = performance.now() + ANSWER_MS;
    while (!holds()) {
      if (this.closed) throw new Error(`the connection was closed before ${what}`);
      if (performance.now() > endsMs) throw new Error(`no sign of ${what} in ${String(ANSWER_MS)} ms`);
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, 200);
        this.#wake = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
  }
}

import type { Socket } from 'node:net';
import { Counter, Gauge, type Registry } from 'prom-client';

type Wire = Pick<Socket, 'bytesRead' | 'bytesWritten'>;

/** Tunnels, what moves in them, and how often they broke; bytes are read off the sockets at each scrape. */
export class TunnelFigures {
  /** With how many streams are open in each. */
  readonly #wires = new Map<Wire, () => number>();
  #bytesIn = 0;
  #bytesOut = 0;
  readonly #opened: Counter;
  readonly #ended: Counter<'how'>;
  readonly #streamsOpened: Counter;

  /** @param held streams that wait for their CLI to come back, and how often one came */
  constructor(registry: Registry, held: { readonly size: number; readonly resumed: number }) {
    const registers = [registry];
    this.#opened = new Counter({ name: 'hoop_tunnels_total', help: 'Tunnels opened', registers });
    this.#ended = new Counter({
      ...{ name: 'hoop_tunnels_ended_total', help: 'Tunnels that ended, in good order or lost', registers },
      labelNames: ['how'] as const,
    });
    this.#streamsOpened = new Counter({ name: 'hoop_tunnel_streams_total', help: 'Streams opened', registers });
    const gauge = (name: string, help: string, value: () => number): Gauge =>
      new Gauge({
        ...{ name, help, registers },
        collect() {
          this.set(value());
        },
      });
    gauge('hoop_tunnels_open', 'Tunnels open now', () => this.#wires.size);
    gauge('hoop_tunnel_streams_open', 'Streams open now', () =>
      [...this.#wires.values()].reduce((sum, count) => sum + count(), 0),
    );
    gauge('hoop_tunnel_streams_held', 'Streams that wait for people, and outlive their tunnel', () => held.size);
    new Counter({
      ...{ name: 'hoop_tunnel_streams_resumed_total', help: 'Streams taken up on another tunnel', registers },
      collect() {
        this.reset();
        this.inc(held.resumed);
      },
    });
    const bytes = (): { in: number; out: number } => this.#bytes();
    new Counter({
      ...{ name: 'hoop_tunnel_bytes_total', help: 'Bytes of tunnels, by where they go', registers },
      labelNames: ['direction'] as const,
      collect() {
        this.reset();
        const moved = bytes();
        this.inc({ direction: 'in' }, moved.in);
        this.inc({ direction: 'out' }, moved.out);
      },
    });
  }

  /** A tunnel is open. @param streams how many streams are open in it @returns what tells that it is over; `lost` where nobody closed it */
  opened(wire: Wire, streams: () => number): (lost: boolean) => void {
    this.#wires.set(wire, streams);
    this.#opened.inc();
    return (lost) => {
      if (!this.#wires.delete(wire)) return;
      this.#bytesIn += wire.bytesRead;
      this.#bytesOut += wire.bytesWritten;
      this.#ended.inc({ how: lost ? 'lost' : 'closed' });
    };
  }

  streamOpened(): void {
    this.#streamsOpened.inc();
  }

  #bytes(): { in: number; out: number } {
    const sum = { in: this.#bytesIn, out: this.#bytesOut };
    for (const { bytesRead, bytesWritten } of this.#wires.keys()) {
      sum.in += bytesRead;
      sum.out += bytesWritten;
    }
    return sum;
  }
}

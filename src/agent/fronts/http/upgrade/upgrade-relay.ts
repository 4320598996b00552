import type { Duplex } from 'node:stream';
import { MessageLane, type Relaying } from './upgrade-lane.js';
import { BROKEN_OFF, WebSocketPeer } from './upgrade-peer.js';

export type Side = 'client' | 'upstream';

/** How a stream came to its end. */
export interface RelayEnd {
  /** Of the first close frame; 1005 where it had none, 1006 where a side broke off without one. */
  readonly code: number;
  /** As given on. */
  readonly reason: string;
  readonly by: Side | 'agent';
}

export interface RelayTimes {
  /** Between two looks at whether each side still lives. */
  readonly pingMs: number;
  /** From a close frame to the end of both sockets, where nothing moves any more. */
  readonly closeMs: number;
}

export const RELAY_TIMES: RelayTimes = { pingMs: 20_000, closeMs: 5_000 };
/** Looks without a sign of life after which a side is given up. */
const DEAD_AFTER = 3;

export interface RelayOptions {
  readonly client: Duplex;
  readonly upstream: Duplex;
  /** What the client sent before its upgrade was answered. */
  readonly early: Buffer;
  readonly maxMessageBytes: number;
  readonly times: RelayTimes;
  /** Those behind a message that takes its time wait for it. Whatever it throws is logged, and ends the stream. */
  message(from: Side, data: Buffer, binary: boolean): Relaying | Promise<Relaying>;
  /** This side closes, or is gone, while messages of the client wait. */
  leaves?(side: Side): void;
  /** Text messages that go on before the close frame of this side. */
  rest?(from: Side): readonly Buffer[];
  /** What goes on of the reason in a close frame. */
  reason(from: Side, text: string): string;
  log(error: unknown): void;
  /** Called once, when both sockets are over. */
  done(end: RelayEnd): void;
}

const OTHER = { client: 'upstream', upstream: 'client' } as const;

/** Joins the two ends of an upgraded stream: whole messages, close frames and cuts go on, never faster than they are taken. */
export class WebSocketRelay {
  readonly #peers: Readonly<Record<Side, WebSocketPeer>>;
  readonly #lanes: Readonly<Record<Side, MessageLane>>;
  readonly #silent: Record<Side, number> = { client: 0, upstream: 0 };
  readonly #timer: NodeJS.Timeout;
  #closing: NodeJS.Timeout | undefined;
  #end: RelayEnd | undefined;
  #over = false;

  constructor(private readonly options: RelayOptions) {
    this.#lanes = { client: this.#lane('client'), upstream: this.#lane('upstream') };
    this.#peers = { client: this.#peer('client'), upstream: this.#peer('upstream') };
    this.#timer = setInterval(() => {
      this.#look();
    }, options.times.pingMs);
    this.#peers.client.unshift(options.early);
    this.#flow();
  }

  /** Ends it from our side. */
  stop(by: RelayEnd['by'], code: number, reason: string): void {
    this.#end ??= { code, reason, by };
    this.#leaves('upstream');
    for (const side of ['client', 'upstream'] as const) {
      this.#peers[side].close(code, reason);
      // Nothing more of it is given on, and no answer is waited for.
      this.#peers[side].end();
    }
    this.#closeSoon();
  }

  #peer(side: Side): WebSocketPeer {
    const { options } = this;
    return new WebSocketPeer({
      socket: options[side],
      server: side === 'client',
      maxMessageBytes: options.maxMessageBytes,
      message: (data, binary) => {
        const lane = this.#lanes[side];
        lane.push(data, binary);
        if (lane.full) this.#peers[side].pause();
      },
      closed: (code, text) => {
        this.#leaves(side);
        this.#lanes[side].whenIdle(() => {
          this.#closed(side, code, text);
        });
      },
      broke: (code) => {
        this.stop(side, code, code === 1009 ? 'a message is larger than limits.bodyBytes' : 'not a valid message');
      },
      gone: () => {
        this.#gone(side);
      },
      drained: () => {
        this.#flow();
      },
    });
  }

  #closed(side: Side, code: number, text: string): void {
    const reason = this.#reason(side, text);
    this.#end ??= { code, reason, by: side };
    for (const rest of this.#rest(side)) this.#peers[OTHER[side]].send(rest, false);
    this.#peers[OTHER[side]].close(code, reason);
    this.#closeSoon();
  }

  #pass(from: Side, passed: Relaying, binary: boolean): void {
    const to = this.#peers[OTHER[from]];
    const sender = this.#peers[from];
    // Behind a close frame of either side nothing counts.
    if (to.sentClose || sender.sentClose) return;
    if ('code' in passed) {
      this.stop('agent', passed.code, passed.reason);
      return;
    }
    for (const one of passed.on) to.send(one, binary);
    for (const one of passed.back ?? []) sender.send(one, false);
    // Who does not take what is sent back is not read either.
    if (to.congested || ((passed.back?.length ?? 0) > 0 && sender.congested)) sender.pause();
  }

  #lane(from: Side): MessageLane {
    return new MessageLane({
      look: (data, binary) => {
        // Nothing is decided for nobody.
        if (this.#peers[OTHER[from]].sentClose || this.#peers[from].sentClose) return { on: [] };
        return this.options.message(from, data, binary);
      },
      pass: (passed, binary) => {
        this.#pass(from, passed, binary);
      },
      failed: (error) => {
        this.options.log(error);
        return { code: 1011, reason: 'the message could not be looked at' };
      },
      idle: () => {
        this.#flow();
      },
    });
  }

  #leaves(side: Side): void {
    if (this.#lanes.client.busy) this.options.leaves?.(side);
  }

  #rest(from: Side): readonly Buffer[] {
    try {
      return this.options.rest?.(from) ?? [];
    } catch (error) {
      this.options.log(error);
      return [];
    }
  }

  #reason(from: Side, text: string): string {
    if (text === '') return '';
    try {
      return this.options.reason(from, text);
    } catch (error) {
      this.options.log(error);
      return '';
    }
  }

  /** A side is read while the other takes what comes of it. */
  #flow(): void {
    const { client, upstream } = this.#peers;
    if (!upstream.congested && !this.#lanes.client.full) client.resume();
    if (!client.congested) upstream.resume();
  }

  #gone(side: Side): void {
    this.#leaves(side);
    this.#end ??= { code: BROKEN_OFF, reason: '', by: side };
    this.#peers[side].end();
    this.#peers[OTHER[side]].end();
    this.#closeSoon();
    if (this.#over || !this.#peers.client.gone || !this.#peers.upstream.gone) return;
    this.#over = true;
    clearInterval(this.#timer);
    clearInterval(this.#closing);
    for (const peer of Object.values(this.#peers)) peer.destroy();
    this.options.done(this.#end);
  }

  /** Half-open sockets tell nothing: a side that gives no sign of life for long is cut, and the other with it. */
  #look(): void {
    for (const side of ['client', 'upstream'] as const) {
      const peer = this.#peers[side];
      this.#silent[side] = peer.alive || peer.paused ? 0 : this.#silent[side] + 1;
      peer.alive = false;
      if (this.#silent[side] >= DEAD_AFTER) peer.destroy();
      else if (!peer.congested) peer.ping();
    }
  }

  #closeSoon(): void {
    this.#closing ??= setInterval(() => {
      for (const peer of Object.values(this.#peers)) {
        if (!peer.alive) peer.destroy();
        peer.alive = false;
      }
    }, this.options.times.closeMs);
  }
}

import type { Duplex } from 'node:stream';
import { closeCodeOf, createReceiver, frameOf, OPCODE, type FrameReceiver } from './upgrade-frames.js';

/** No code was sent, RFC 6455 section 7.4.1; never stands in a frame. */
export const NO_CODE = 1005;
/** Broken off without a close frame; never stands in a frame. */
export const BROKEN_OFF = 1006;

/** Parts in which a message is written: that one went out is a sign that the peer lives. */
const SLICE_BYTES = 64 * 1024;
/** What a peer has to close its socket once everything was sent to it. */
const LINGER_MS = 800;
/** A reason and its code fill a control frame, RFC 6455 section 5.5. */
const MAX_REASON_BYTES = 123;

export interface PeerOptions {
  readonly socket: Duplex;
  /** Where we are the server: the client's socket. */
  readonly server: boolean;
  readonly maxMessageBytes: number;
  /** The bytes of `data` are the listener's. */
  message(data: Buffer, binary: boolean): void;
  /** A close frame came; the last that does. */
  closed(code: number, reason: string): void;
  /** It sent what is no WebSocket, or too much of it; nothing more of it is read. */
  broke(code: number): void;
  /** Its socket is over, whether or not a close frame came before. */
  gone(): void;
  /** Everything that was written has gone out. */
  drained(): void;
}

/** One end of an upgraded stream: frames in, frames out. Pings are answered here, and not given on. */
export class WebSocketPeer {
  /** A sign of life since this was last set to false. */
  alive = true;
  /** Our close frame was sent. */
  sentClose = false;
  /** Its close frame came. */
  gotClose = false;
  gone = false;
  readonly #receiver: FrameReceiver;
  readonly #socket: Duplex;
  #pong: Buffer | undefined;
  #ended = false;

  constructor(private readonly options: PeerOptions) {
    const { socket } = options;
    this.#socket = socket;
    this.#receiver = this.#receiverOf();
    socket.on('data', this.#data);
    socket.on('end', () => {
      this.#over();
    });
    socket.on('close', () => {
      this.#over();
    });
    socket.on('error', () => socket.destroy());
    socket.on('drain', () => {
      this.#pongIfAsked();
      options.drained();
    });
    if (socket.destroyed || socket.readableEnded) queueMicrotask(() => this.#over());
  }

  /** More is waiting to go out than should. */
  get congested(): boolean {
    return this.#socket.writableNeedDrain;
  }

  /** Bytes that came with the upgrade, before any other. */
  unshift(head: Buffer): void {
    if (head.length > 0) this.#data(head);
  }

  /** Is it kept from telling us anything? */
  get paused(): boolean {
    return this.#socket.isPaused();
  }

  pause(): void {
    this.#socket.pause();
  }

  resume(): void {
    // The receiver's own word comes first.
    if (!this.#receiver.writableNeedDrain) this.#socket.resume();
  }

  /** @param data its bytes are ours from here on */
  send(data: Buffer, binary: boolean): void {
    if (!this.sentClose) this.#write(frameOf(binary ? OPCODE.binary : OPCODE.text, data, !this.options.server));
  }

  ping(): void {
    if (!this.sentClose) this.#write(frameOf(OPCODE.ping, Buffer.alloc(0), !this.options.server));
  }

  /** Sends the close frame; ends the socket where the peer's has come. */
  close(code: number, reason: string): void {
    if (this.sentClose) return;
    const told = code === NO_CODE ? Buffer.alloc(0) : closePayload(code, reason);
    this.#write(frameOf(OPCODE.close, told, !this.options.server));
    this.sentClose = true;
    if (this.gotClose) this.end();
  }

  /** Ends the socket behind what was written; cuts it where the peer does not follow. */
  end(): void {
    if (this.#ended) return;
    this.#ended = true;
    const socket = this.#socket;
    const cut = (): void => {
      const timer = setTimeout(() => socket.destroy(), LINGER_MS);
      socket.once('close', () => {
        clearTimeout(timer);
      });
    };
    socket.once('finish', cut);
    socket.end();
    // What comes now is read to its end, and nobody's.
    socket.resume();
  }

  /** Ends the socket, and what was not yet written with it. */
  destroy(): void {
    this.#socket.destroy();
  }

  readonly #data = (chunk: Buffer): void => {
    // Behind our end it could go on forever.
    if (!this.#ended) this.alive = true;
    if (this.#receiver.writable && !this.#receiver.write(chunk)) this.#socket.pause();
  };

  #receiverOf(): FrameReceiver {
    const { options } = this;
    const receiver = createReceiver(options.server, options.maxMessageBytes);
    receiver.on('message', (data, binary) => {
      options.message(data, binary);
    });
    receiver.on('ping', (data) => {
      // A copy: the answer may have to wait, and only the last one is owed (RFC 6455 section 5.5.3).
      this.#pong = Buffer.from(data);
      if (!this.congested) this.#pongIfAsked();
    });
    receiver.on('conclude', (code, reason) => {
      this.gotClose = true;
      options.closed(code, reason.toString('utf8'));
      if (this.sentClose) this.end();
    });
    receiver.on('error', (error) => {
      options.broke(closeCodeOf(error));
    });
    receiver.on('drain', () => {
      options.drained();
    });
    return receiver;
  }

  #pongIfAsked(): void {
    const data = this.#pong;
    this.#pong = undefined;
    if (data !== undefined && !this.sentClose) this.#write(frameOf(OPCODE.pong, data, !this.options.server));
  }

  #write(frame: readonly Buffer[]): void {
    const socket = this.#socket;
    if (!socket.writable) return;
    socket.cork();
    for (const part of frame)
      for (let from = 0; from < part.length; from += SLICE_BYTES)
        socket.write(part.subarray(from, from + SLICE_BYTES), () => {
          // It goes on taking what has waited; what no one waits for may lie in a buffer of the system.
          if (socket.writableLength > 0) this.alive = true;
        });
    socket.uncork();
  }

  #over(): void {
    if (this.gone) return;
    this.gone = true;
    this.options.gone();
  }
}

function closePayload(code: number, reason: string): Buffer {
  const text = Buffer.from(reason);
  let length = Math.min(text.length, MAX_REASON_BYTES);
  // No half of a character: the peer would have to refuse it.
  while (length < text.length && ((text[length] ?? 0) & 0xc0) === 0x80) length -= 1;
  const payload = Buffer.alloc(2 + length);
  payload.writeUInt16BE(code, 0);
  text.copy(payload, 2, 0, length);
  return payload;
}

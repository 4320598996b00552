import { messageOf, type ErrorCode, ERRORS, type Fault } from '../core/errors.js';
import {
  encodeHeader,
  FRAME,
  type FrameType,
  MAX_DATA_BYTES,
  readUint32,
  TunnelFrameParser,
  writeHeader,
  writeUint32,
  HEADER_BYTES,
} from './frames.js';
import { MuxStream } from './mux-stream.js';
import type { TunnelStream } from './stream.js';

/** The ordered byte carrier below: a WebSocket, or a pair of arrays in a test. */
export interface Link {
  /** `done` is called when the bytes left this process's buffers. */
  send(bytes: Uint8Array, done?: () => void): void;
  /** Bytes not yet handed to the kernel. */
  bufferedBytes(): number;
  close(): void;
}

export interface MuxOptions {
  readonly link: Link;
  /** Which side opens streams: the CLI. The agent accepts. */
  readonly role: 'opener' | 'acceptor';
  readonly maxStreams?: number;
  /** Runs `task` after the I/O of this turn: frames of one turn leave in one write. */
  readonly schedule: (task: () => void) => void;
}

/** Above this many unsent bytes every stream is asked to wait. */
const LINK_HIGH_BYTES = 2 << 20;
/** Payloads up to this size are copied behind their header, so that a turn's frames leave as one message. */
const COALESCE_BYTES = 16 * 1024;

/**
 * Many streams over one link. Each stream has its own credit, so that a slow reader holds back its
 * own sender and nobody else; the link's fill holds back all.
 */
export class Mux {
  readonly #streams = new Map<number, MuxStream>();
  readonly #parser: TunnelFrameParser;
  #nextStream = 1;
  #highestAccepted = 0;
  #pending: Uint8Array[] = [];
  #pendingBytes = 0;
  #flushScheduled = false;
  #closed = false;
  #starved = false;
  #onStream: ((stream: TunnelStream) => void) | undefined;
  #onEvent: ((event: Readonly<Record<string, unknown>>) => void) | undefined;

  constructor(private readonly options: MuxOptions) {
    this.#parser = new TunnelFrameParser({
      onData: (id, bytes) => this.#streams.get(id)?.received(bytes),
      onControl: (type, id, payload) => {
        this.#control(type, id, payload);
      },
    });
  }

  onStream(listener: (stream: TunnelStream) => void): void {
    this.#onStream = listener;
  }

  onEvent(listener: (event: Readonly<Record<string, unknown>>) => void): void {
    this.#onEvent = listener;
  }

  get streamCount(): number {
    return this.#streams.size;
  }

  /** Opens a stream; on a closed mux the stream closes at once with a fault. */
  openStream(): TunnelStream {
    const stream = this.#add(this.#nextStream);
    this.#nextStream += 1;
    this.#queue(encodeHeader(FRAME.open, stream.id, 0));
    if (this.#closed) stream.destroy({ code: 'unreachable', message: 'the tunnel is closed' });
    return stream;
  }

  sendEvent(event: Readonly<Record<string, unknown>>): void {
    const payload = new TextEncoder().encode(JSON.stringify(event));
    this.#queue(encodeHeader(FRAME.event, 0, payload.length), payload);
  }

  /** Bytes off the link. A fault ends all streams and the link. */
  receive(chunk: Uint8Array): void {
    if (this.#closed) return;
    const fault = this.#parser.push(chunk);
    if (fault !== undefined) this.close(fault);
  }

  /** Ends every stream. Idempotent. */
  close(fault?: Fault): void {
    if (this.#closed) return;
    this.#flush();
    this.#closed = true;
    for (const stream of [...this.#streams.values()])
      stream.lost(fault ?? { code: 'unreachable', message: 'the tunnel was closed' });
    this.#streams.clear();
    this.options.link.close();
  }

  #add(id: number): MuxStream {
    const stream = new MuxStream(id, {
      data: (bytes) => this.#sendData(id, bytes),
      end: () => {
        this.#queue(encodeHeader(FRAME.end, id, 0));
      },
      reset: (fault) => {
        const payload = new TextEncoder().encode(fault === undefined ? '' : JSON.stringify(fault));
        this.#queue(encodeHeader(FRAME.reset, id, payload.length), payload);
      },
      credit: (bytes) => {
        const frame = new Uint8Array(HEADER_BYTES + 4);
        writeHeader(frame, 0, FRAME.credit, id, 4);
        writeUint32(frame, HEADER_BYTES, bytes);
        this.#queue(frame);
      },
      closed: () => this.#streams.delete(id),
    });
    this.#streams.set(id, stream);
    return stream;
  }

  /** @returns false while the link is full */
  #sendData(id: number, bytes: Uint8Array): boolean {
    for (let at = 0; at < bytes.length; at += MAX_DATA_BYTES) {
      const part = bytes.subarray(at, at + MAX_DATA_BYTES);
      this.#queue(encodeHeader(FRAME.data, id, part.length), part);
    }
    if (this.#pendingBytes + this.options.link.bufferedBytes() < LINK_HIGH_BYTES) return true;
    this.#starved = true;
    return false;
  }

  #queue(...parts: Uint8Array[]): void {
    if (this.#closed) return;
    for (const part of parts) {
      this.#pending.push(part);
      this.#pendingBytes += part.length;
    }
    if (this.#flushScheduled) return;
    this.#flushScheduled = true;
    this.options.schedule(() => {
      this.#flush();
    });
  }

  #flush(): void {
    this.#flushScheduled = false;
    if (this.#closed || this.#pending.length === 0) return;
    const parts = this.#pending;
    this.#pending = [];
    this.#pendingBytes = 0;
    for (const message of coalesce(parts)) this.options.link.send(message, this.#starved ? this.#sent : undefined);
  }

  readonly #sent = (): void => {
    if (!this.#starved || this.options.link.bufferedBytes() > LINK_HIGH_BYTES / 2) return;
    this.#starved = false;
    for (const stream of this.#streams.values()) stream.linkDrained();
  };

  #control(type: FrameType, id: number, payload: Uint8Array): void {
    if (type === FRAME.event) {
      this.#event(payload);
      return;
    }
    if (type === FRAME.open) {
      this.#accept(id);
      return;
    }
    const stream = this.#streams.get(id);
    // Frames of a stream that this side has just reset are still under way: not a fault.
    if (stream === undefined) return;
    if (type === FRAME.credit) stream.granted(payload.length === 4 ? readUint32(payload, 0) : 0);
    else if (type === FRAME.end) stream.ended();
    else if (type === FRAME.reset) stream.lost(parseFault(payload));
  }

  #accept(id: number): void {
    if (this.options.role !== 'acceptor' || id <= this.#highestAccepted) {
      this.close({ code: 'protocol', message: 'the other side opened a stream out of turn' });
      return;
    }
    this.#highestAccepted = id;
    const stream = this.#add(id);
    if (this.#streams.size > (this.options.maxStreams ?? 1024)) {
      stream.destroy({
        code: 'limit',
        message: `more than ${String(this.options.maxStreams ?? 1024)} streams in one tunnel`,
      });
      return;
    }
    this.#onStream?.(stream);
  }

  #event(payload: Uint8Array): void {
    try {
      const event: unknown = JSON.parse(new TextDecoder().decode(payload));
      if (typeof event === 'object' && event !== null) this.#onEvent?.(event as Record<string, unknown>);
    } catch (error) {
      this.close({ code: 'protocol', message: `unreadable tunnel event: ${messageOf(error)}` });
    }
  }
}

/** Joins small neighbours into one message; large payloads go as they are. */
function coalesce(parts: readonly Uint8Array[]): Uint8Array[] {
  if (parts.length === 1) return [parts[0] as Uint8Array];
  const messages: Uint8Array[] = [];
  let run: Uint8Array[] = [];
  let runBytes = 0;
  const endRun = (): void => {
    if (run.length === 0) return;
    if (run.length === 1) messages.push(run[0] as Uint8Array);
    else {
      const joined = new Uint8Array(runBytes);
      let at = 0;
      for (const part of run) {
        joined.set(part, at);
        at += part.length;
      }
      messages.push(joined);
    }
    run = [];
    runBytes = 0;
  };
  for (const part of parts) {
    if (part.length > COALESCE_BYTES) {
      endRun();
      messages.push(part);
    } else {
      run.push(part);
      runBytes += part.length;
      if (runBytes > 4 * COALESCE_BYTES) endRun();
    }
  }
  endRun();
  return messages;
}

function parseFault(payload: Uint8Array): Fault | undefined {
  if (payload.length === 0) return undefined;
  try {
    const fault = JSON.parse(new TextDecoder().decode(payload)) as { code?: unknown; message?: unknown };
    const code =
      typeof fault.code === 'string' && Object.hasOwn(ERRORS, fault.code) ? (fault.code as ErrorCode) : 'failed';
    return { code, message: typeof fault.message === 'string' ? fault.message : 'the other side ended the stream' };
  } catch {
    return { code: 'protocol', message: 'the other side ended the stream without a readable reason' };
  }
}

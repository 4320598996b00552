import type { Writable } from 'node:stream';
import * as ws from 'ws';

/** Takes the bytes of one direction apart, RFC 6455 section 5. Emits `message`, `ping`, `pong`, `conclude`, `error`. */
export interface FrameReceiver extends Pick<Writable, 'write' | 'writable' | 'writableNeedDrain'> {
  on(event: 'message', listener: (data: Buffer, binary: boolean) => void): this;
  on(event: 'ping' | 'pong', listener: (data: Buffer) => void): this;
  on(event: 'conclude', listener: (code: number, reason: Buffer) => void): this;
  on(event: 'error', listener: (error: NodeJS.ErrnoException) => void): this;
  on(event: 'drain', listener: () => void): this;
}

interface ReceiverOptions {
  /** Takes the part of the server: frames that come must be masked. */
  readonly isServer: boolean;
  /** In bytes. */
  readonly maxPayload: number;
  readonly maxFragments: number;
  readonly maxBufferedChunks: number;
}

interface FrameOptions {
  readonly fin: boolean;
  readonly opcode: number;
  /** Clients mask what they send; the bytes of `data` are changed in place. */
  readonly mask: boolean;
  readonly readOnly: boolean;
  readonly rsv1: boolean;
}

/** Exported by `ws`, and missing in its types. */
const { Receiver, Sender } = ws as unknown as {
  readonly Receiver: new (options: ReceiverOptions) => FrameReceiver;
  readonly Sender: { frame(data: Buffer, options: FrameOptions): Buffer[] };
};

/** The library's own bounds: what a message of very many tiny parts costs besides its bytes. */
const MAX_FRAGMENTS = 16 * 1024;
const MAX_CHUNKS = 256 * 1024;

/** @param maxMessageBytes a longer message is an error, before its bytes are kept */
export function createReceiver(isServer: boolean, maxMessageBytes: number): FrameReceiver {
  const bounds = { maxFragments: MAX_FRAGMENTS, maxBufferedChunks: MAX_CHUNKS };
  return new Receiver({ isServer, maxPayload: maxMessageBytes, ...bounds });
}

/** RFC 6455 section 5.2. */
export const OPCODE = { text: 1, binary: 2, close: 8, ping: 9, pong: 10 } as const;

/**
 * One whole frame.
 *
 * @param data its bytes are the frame's from here on: masking changes them in place
 */
export function frameOf(opcode: number, data: Buffer, mask: boolean): Buffer[] {
  return Sender.frame(data, { fin: true, opcode, mask, readOnly: false, rsv1: false });
}

/** The code that tells a peer what was wrong with its frames, RFC 6455 section 7.4.1. */
export function closeCodeOf(error: NodeJS.ErrnoException): number {
  switch (error.code) {
    case 'WS_ERR_UNSUPPORTED_MESSAGE_LENGTH':
    case 'WS_ERR_UNSUPPORTED_DATA_PAYLOAD_LENGTH':
      return 1009;
    case 'WS_ERR_INVALID_UTF8':
      return 1007;
    case 'WS_ERR_TOO_MANY_BUFFERED_PARTS':
      return 1008;
    default:
      return 1002;
  }
}

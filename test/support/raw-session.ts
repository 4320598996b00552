import { connect } from 'node:net';
import { cstring, i32, messagesIn } from '../protocols/postgres/wire.js';

/** A conversation in messages with a local port or a server that asks for no password. */
export interface RawSession {
  /** Of BackendKeyData; zeros where none came. */
  readonly cancelKey: { readonly processId: number; readonly secretKey: number };
  send(bytes: Buffer): void;
  until(type: string, count?: number): Promise<{ type: string; body: Buffer }[]>;
  end(): void;
}

export async function rawSession(port: number): Promise<RawSession> {
  const socket = connect(port, '127.0.0.1');
  let bytes = Buffer.alloc(0);
  let wake: (() => void) | undefined;
  socket.on('data', (chunk) => {
    bytes = Buffer.concat([bytes, chunk]);
    wake?.();
  });
  socket.on('error', () => undefined);
  socket.on('close', () => wake?.());
  const parameters = Buffer.concat([cstring('user'), cstring('whoever'), Buffer.from([0])]);
  socket.write(Buffer.concat([i32(parameters.length + 8), i32(196608), parameters]));
  const until = async (type: string, count = 1): Promise<{ type: string; body: Buffer }[]> => {
    for (;;) {
      const whole = wholeMessages(bytes);
      const found = messagesIn(whole);
      if (found.filter((message) => message.type === type).length >= count || socket.closed) {
        bytes = bytes.subarray(whole.length);
        return found;
      }
      await new Promise<void>((resolve) => (wake = resolve));
    }
  };
  const opening = await until('Z');
  const key = opening.find(({ type }) => type === 'K')?.body;
  const cancelKey = { processId: key?.readInt32BE(0) ?? 0, secretKey: key?.readInt32BE(4) ?? 0 };
  return { cancelKey, send: (data) => socket.write(data), until, end: () => socket.destroy() };
}

function wholeMessages(bytes: Buffer): Buffer {
  let at = 0;
  while (bytes.length - at >= 5 && at + 1 + bytes.readUInt32BE(at + 1) <= bytes.length)
    at += 1 + bytes.readUInt32BE(at + 1);
  return bytes.subarray(0, at);
}

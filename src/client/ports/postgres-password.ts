import type { Socket } from 'node:net';
import { HoopError } from '../../core/errors.js';
import { CANCEL_REQUEST, readPostgresOpening } from './postgres-opening.js';
import type { ScramVerifier } from './scram-verifier.js';
import type { SocketReader } from './socket-reader.js';

/**
 * The local end's own authentication, for a port with a password: SCRAM-SHA-256, before anything reaches the agent.
 *
 *     client                               local end
 *     start-up message               →
 *                                    ←     R 10 SCRAM-SHA-256
 *     p SCRAM-SHA-256, client-first  →
 *                                    ←     R 11 server-first
 *     p client-final                 →
 *                                    ←     R 12 server-final
 *                                          and what the agent answers to the start-up message: R 0 …
 *
 * @see https://www.postgresql.org/docs/current/sasl-authentication.html
 */
const MECHANISM = 'SCRAM-SHA-256';
const SASL = 10;
const SASL_CONTINUE = 11;
const SASL_FINAL = 12;
const MAX_ANSWER_BYTES = 2_048;
const PASSWORD_MESSAGE = 0x70; // p
const AUTHENTICATION = 0x52; // R
/** From connecting to the proof, as the agent would wait. */
const TIMEOUT_MS = 15_000;

/** A client that does not know the port's password; `28P01` in its protocol. */
export class WrongPassword extends HoopError {
  constructor() {
    super('not_allowed', 'the password is not the one of this port', {
      suggestion: 'take it from the lines that hoop connect printed, or from its environment',
    });
  }
}

/**
 * Lets a client go on that knows the password. A cancel request passes without one: its key is its proof.
 *
 * @param socket paused, nothing read of it; afterwards it is as if nothing had been, but for the password
 * @throws WrongPassword; ClientLeft, HoopError protocol, where the socket is destroyed
 */
export async function requirePostgresPassword(socket: Socket, verifier: ScramVerifier): Promise<void> {
  const timer = setTimeout(() => socket.destroy(), TIMEOUT_MS);
  try {
    const { packet, code, reader } = await readPostgresOpening(socket);
    if (code !== CANCEL_REQUEST) await prove(socket, reader, verifier);
    reader.putBack(packet);
  } catch (error) {
    if (!(error instanceof WrongPassword)) socket.destroy();
    throw error;
  } finally {
    clearTimeout(timer);
  }
}

async function prove(socket: Socket, reader: SocketReader, verifier: ScramVerifier): Promise<void> {
  socket.write(authentication(SASL, `${MECHANISM}\0\0`));
  const initial = await answer(reader);
  const named = initial.indexOf(0);
  if (named === -1 || initial.toString('latin1', 0, named) !== MECHANISM) throw new WrongPassword();
  const exchange = verifier.challenge(initial.toString('latin1', named + 5));
  if (exchange === undefined) throw new WrongPassword();
  socket.write(authentication(SASL_CONTINUE, exchange.serverFirst));
  const proof = exchange.finish((await answer(reader)).toString('latin1'));
  if (proof === undefined) throw new WrongPassword();
  socket.write(authentication(SASL_FINAL, proof));
}

function authentication(kind: number, text: string): Buffer {
  const message = Buffer.alloc(9 + text.length, 0);
  message[0] = AUTHENTICATION;
  message.writeUInt32BE(8 + text.length, 1);
  message.writeUInt32BE(kind, 5);
  message.write(text, 9, 'latin1');
  return message;
}

async function answer(reader: SocketReader): Promise<Buffer> {
  const head = await reader.take(5);
  const length = head.readUInt32BE(1);
  if (head[0] !== PASSWORD_MESSAGE || length < 4 || length > MAX_ANSWER_BYTES)
    throw new HoopError('protocol', 'expected a password message');
  return reader.take(length - 4);
}

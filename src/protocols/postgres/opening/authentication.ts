/**
 * Proves the agent's stored credential to the server: clear text, MD5, SCRAM-SHA-256.
 *
 * @see https://www.postgresql.org/docs/current/sasl-authentication.html
 * @see https://www.rfc-editor.org/rfc/rfc5802#section-3
 */
import type { Fault } from '../../../core/errors.js';
import { BodyReader } from '../wire/frames.js';
import { passwordMessage, saslInitial, saslResponse } from '../wire/messages.js';

/** Passed in: this room has no crypto and no randomness of its own. */
export interface AuthenticationCrypto {
  md5Hex(data: Uint8Array): string;
  sha256(data: Uint8Array): Uint8Array;
  hmacSha256(key: Uint8Array, data: Uint8Array): Uint8Array;
  /** PBKDF2 with HMAC-SHA-256, 32 bytes; expected to remember results, since a role's salt rarely changes. */
  pbkdf2(password: string, salt: Uint8Array, iterations: number): Uint8Array;
  random(count: number): Uint8Array;
  base64(data: Uint8Array): string;
  fromBase64(text: string): Uint8Array;
}

/** A hostile server could ask for any amount of work. */
const MAX_ITERATIONS = 200_000;

export type AuthenticationStep =
  | { readonly kind: 'send'; readonly bytes: Uint8Array }
  | { readonly kind: 'wait' }
  | { readonly kind: 'ok' }
  | { readonly kind: 'fault'; readonly fault: Fault };

const encoder = new TextEncoder();
const decoder = new TextDecoder();

export class UpstreamAuthentication {
  #scram:
    { readonly nonce: string; readonly firstBare: string; serverSignature?: Uint8Array; verified: boolean } | undefined;

  constructor(
    private readonly credential: { readonly user: string; readonly password: string | undefined },
    private readonly crypto: AuthenticationCrypto,
  ) {}

  /** @param message a whole AuthenticationXXX message */
  receive(message: Uint8Array): AuthenticationStep {
    const reader = new BodyReader(message);
    const kind = reader.int32();
    if (reader.failed) return fault('malformed authentication message');
    switch (kind) {
      case 0:
        // A server that skips its last SCRAM message has not proven that it knows the verifier.
        return this.#scram !== undefined && !this.#scram.verified
          ? fault('the server did not prove itself')
          : { kind: 'ok' };
      case 3:
        return this.#withPassword((password) => ({ kind: 'send', bytes: passwordMessage(password) }));
      case 5:
        return this.#withPassword((password) => this.#md5(password, reader.take(4), reader));
      case 10:
        return this.#withPassword(() => this.#saslStart(reader));
      case 11:
        return this.#withPassword((password) =>
          this.#saslContinue(password, decoder.decode(reader.take(reader.remaining))),
        );
      case 12:
        return this.#saslFinal(decoder.decode(reader.take(reader.remaining)));
      default:
        return fault(
          `the server asks for authentication method ${String(kind)}; known are password, md5 and scram-sha-256`,
        );
    }
  }

  #withPassword(step: (password: string) => AuthenticationStep): AuthenticationStep {
    const { password } = this.credential;
    return password === undefined
      ? fault('the server asks for a password and the credential has none')
      : step(password);
  }

  #md5(password: string, salt: Uint8Array, reader: BodyReader): AuthenticationStep {
    if (reader.failed) return fault('malformed md5 request');
    const inner = encoder.encode(this.crypto.md5Hex(encoder.encode(password + this.credential.user)));
    const salted = new Uint8Array(inner.length + salt.length);
    salted.set(inner);
    salted.set(salt, inner.length);
    return { kind: 'send', bytes: passwordMessage(`md5${this.crypto.md5Hex(salted)}`) };
  }

  #saslStart(reader: BodyReader): AuthenticationStep {
    const mechanisms: string[] = [];
    while (reader.remaining > 1 && !reader.failed) mechanisms.push(reader.cstring());
    if (!mechanisms.includes('SCRAM-SHA-256')) return fault('the server offers no SCRAM-SHA-256');
    const nonce = this.crypto.base64(this.crypto.random(18));
    // The server takes the user from the start-up packet; the name here is ignored.
    const firstBare = `n=,r=${nonce}`;
    this.#scram = { nonce, firstBare, verified: false };
    return { kind: 'send', bytes: saslInitial('SCRAM-SHA-256', `n,,${firstBare}`) };
  }

  #saslContinue(password: string, serverFirst: string): AuthenticationStep {
    const scram = this.#scram;
    const fields = attributes(serverFirst);
    const nonce = fields.get('r') ?? '';
    const salt = fields.get('s');
    const iterations = Number(fields.get('i'));
    if (
      scram === undefined ||
      salt === undefined ||
      !nonce.startsWith(scram.nonce) ||
      nonce.length === scram.nonce.length
    ) {
      return fault('malformed SCRAM challenge');
    }
    if (!Number.isInteger(iterations) || iterations < 1 || iterations > MAX_ITERATIONS) {
      return fault(`expected 1 to ${String(MAX_ITERATIONS)} SCRAM iterations`);
    }
    const { crypto } = this;
    const salted = crypto.pbkdf2(password.normalize('NFKC'), crypto.fromBase64(salt), iterations);
    const clientKey = crypto.hmacSha256(salted, encoder.encode('Client Key'));
    const withoutProof = `c=biws,r=${nonce}`;
    const signed = encoder.encode(`${scram.firstBare},${serverFirst},${withoutProof}`);
    const signature = crypto.hmacSha256(crypto.sha256(clientKey), signed);
    const proof = clientKey.map((byte, index) => byte ^ (signature[index] as number));
    scram.serverSignature = crypto.hmacSha256(crypto.hmacSha256(salted, encoder.encode('Server Key')), signed);
    return { kind: 'send', bytes: saslResponse(`${withoutProof},p=${crypto.base64(proof)}`) };
  }

  #saslFinal(serverFinal: string): AuthenticationStep {
    const expected = this.#scram?.serverSignature;
    const given = attributes(serverFinal).get('v');
    if (this.#scram === undefined || expected === undefined || given !== this.crypto.base64(expected)) {
      return fault('the server did not prove that it knows the password');
    }
    this.#scram.verified = true;
    return { kind: 'wait' };
  }
}

function attributes(text: string): Map<string, string> {
  return new Map(text.split(',').map((part) => [part.slice(0, 1), part.slice(2)] as const));
}

function fault(message: string): AuthenticationStep {
  return { kind: 'fault', fault: { code: 'upstream_auth', message } };
}

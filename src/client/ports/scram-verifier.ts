import { createHash, createHmac, pbkdf2Sync, randomBytes, timingSafeEqual } from 'node:crypto';

const ITERATIONS = 4_096;
const SALT_BYTES = 16;
const NONCE_BYTES = 18;
const CLIENT_FIRST = /^([ny],,)(n=[^,]*,r=([\x21-\x2b\x2d-\x7e]{1,256}))$/;
const CLIENT_FINAL = /^(c=([A-Za-z0-9+/=]+),r=([\x21-\x2b\x2d-\x7e]+)),p=([A-Za-z0-9+/=]+)$/;

const hmac = (key: Uint8Array, text: string): Buffer => createHmac('sha256', key).update(text).digest();
const sha256 = (bytes: Uint8Array): Buffer => createHash('sha256').update(bytes).digest();

/** Checks a password by SCRAM-SHA-256, as a server does. */
export class ScramVerifier {
  readonly #salt = randomBytes(SALT_BYTES);
  readonly #password: string;
  #derived: { readonly storedKey: Buffer; readonly serverKey: Buffer } | undefined;

  constructor(password: string) {
    this.#password = password;
  }

  /** Derived for the first client: many a command opens a port that it does not use. */
  get #keys(): { readonly storedKey: Buffer; readonly serverKey: Buffer } {
    if (this.#derived === undefined) {
      const salted = pbkdf2Sync(this.#password, this.#salt, ITERATIONS, 32, 'sha256');
      this.#derived = { storedKey: sha256(hmac(salted, 'Client Key')), serverKey: hmac(salted, 'Server Key') };
    }
    return this.#derived;
  }

  /**
   * One exchange.
   *
   * @param clientFirst the client's first message
   * @returns the challenge, and what reads the answer to it; undefined for what is no such message
   * @see https://www.rfc-editor.org/rfc/rfc5802#section-3
   */
  challenge(
    clientFirst: string,
  ): { readonly serverFirst: string; readonly finish: (clientFinal: string) => string | undefined } | undefined {
    const [, header, bare, clientNonce] = CLIENT_FIRST.exec(clientFirst) ?? [];
    if (header === undefined || bare === undefined || clientNonce === undefined) return undefined;
    const nonce = `${clientNonce}${randomBytes(NONCE_BYTES).toString('base64')}`;
    const serverFirst = `r=${nonce},s=${this.#salt.toString('base64')},i=${String(ITERATIONS)}`;
    const binding = Buffer.from(header).toString('base64');
    return {
      serverFirst,
      finish: (clientFinal) => {
        const [, unproven, sentBinding, sentNonce, proof] = CLIENT_FINAL.exec(clientFinal) ?? [];
        if (unproven === undefined || proof === undefined || sentBinding !== binding || sentNonce !== nonce)
          return undefined;
        const signed = `${bare},${serverFirst},${unproven}`;
        return this.#proves(Buffer.from(proof, 'base64'), signed)
          ? `v=${hmac(this.#keys.serverKey, signed).toString('base64')}`
          : undefined;
      },
    };
  }

  #proves(proof: Buffer, signed: string): boolean {
    const signature = hmac(this.#keys.storedKey, signed);
    if (proof.length !== signature.length) return false;
    const clientKey = proof.map((byte, index) => byte ^ (signature[index] as number));
    return timingSafeEqual(sha256(clientKey), this.#keys.storedKey);
  }
}

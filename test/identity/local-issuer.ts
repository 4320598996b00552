import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { SignJWT, exportJWK, generateKeyPair } from 'jose';
import type { JWK, JWTHeaderParameters, JWTPayload } from 'jose';

export interface LocalIssuer {
  readonly issuer: string;
  /** Requests for the key set so far. */
  readonly fetches: () => number;
  /** What the key set holds from now on. */
  publish(keys: readonly JWK[]): void;
  /** Answer everything with 500 from now on, or no longer. */
  fail(failing: boolean): void;
  /** What the discovery document names as issuer. */
  claimToBe(issuer: string): void;
  close(): Promise<void>;
}

/** An issuer as the verifier sees one: a discovery document and a key set, over real HTTP on loopback. */
export async function startLocalIssuer(): Promise<LocalIssuer> {
  let keys: readonly JWK[] = [];
  let failing = false;
  let named = '';
  let fetches = 0;
  const server = createServer((request, response) => {
    if (failing) {
      response.writeHead(500).end();
    } else if (request.url === '/.well-known/openid-configuration') {
      response.end(JSON.stringify({ issuer: named, jwks_uri: `${issuer}/jwks` }));
    } else {
      fetches += 1;
      response.end(JSON.stringify({ keys }));
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  named = issuer;
  return {
    issuer,
    fetches: () => fetches,
    publish: (next) => (keys = next),
    fail: (next) => (failing = next),
    claimToBe: (next) => (named = next),
    close: () => new Promise((resolve) => server.close(() => resolve())),
  };
}

export interface SigningKey {
  readonly jwk: JWK;
  sign(claims: JWTPayload, header?: Partial<JWTHeaderParameters>): Promise<string>;
}

export async function makeKey(kid: string, alg = 'ES256'): Promise<SigningKey> {
  const { publicKey, privateKey } = await generateKeyPair(alg, { extractable: true });
  return {
    jwk: { ...(await exportJWK(publicKey)), kid, alg, use: 'sig' },
    sign: (claims, header = {}) =>
      new SignJWT(claims).setProtectedHeader({ alg, kid, typ: 'at+jwt', ...header }).sign(privateKey),
  };
}

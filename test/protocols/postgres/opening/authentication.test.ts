import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { authenticationCrypto } from '../../../../src/agent/fronts/postgres/authentication-crypto.js';
import {
  UpstreamAuthentication,
  type AuthenticationStep,
} from '../../../../src/protocols/postgres/opening/authentication.js';
import { cstring, i32, message } from '../wire.js';

const ask = (kind: number, body: string | Buffer = ''): Buffer =>
  message('R', Buffer.concat([i32(kind), Buffer.from(body)]));
const sent = (step: AuthenticationStep): string =>
  step.kind === 'send' ? Buffer.from(step.bytes).subarray(5).toString('latin1') : step.kind;

// RFC 7677 section 3. PostgreSQL leaves the name out of the exchange, so the first message differs and with it the signatures.
const NONCE = 'rOprNGfwEbeRWgbNEkqO';
const SERVER_FIRST = `r=${NONCE}%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096`;

function started(user: string): UpstreamAuthentication {
  const authentication = new UpstreamAuthentication(
    { user: 'user', password: 'pencil' },
    {
      ...authenticationCrypto,
      base64: (data) => (data.length === 18 ? NONCE : authenticationCrypto.base64(data)),
      hmacSha256: (key, data) =>
        authenticationCrypto.hmacSha256(
          key,
          Buffer.from(Buffer.from(data).toString('latin1').replace(/^n=,/, `n=${user},`), 'latin1'),
        ),
    },
  );
  expect(
    sent(
      authentication.receive(
        ask(10, Buffer.concat([cstring('SCRAM-SHA-256-PLUS'), cstring('SCRAM-SHA-256'), Buffer.from([0])])),
      ),
    ),
  ).toContain(`n,,n=,r=${NONCE}`);
  return authentication;
}

describe('UpstreamAuthentication', () => {
  it('gives the proof of RFC 7677 and takes the signature of RFC 7677', () => {
    const authentication = started('user');
    expect(sent(authentication.receive(ask(11, SERVER_FIRST)))).toBe(
      `c=biws,r=${NONCE}%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=`,
    );
    expect(authentication.receive(ask(12, 'v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=')).kind).toBe('wait');
    expect(authentication.receive(ask(0)).kind).toBe('ok');
  });

  it.each([
    ['a signature that is another', ask(12, 'v=7rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=')],
    ['an empty signature', ask(12, 'v=')],
    ['an ok without any signature', ask(0)],
  ])('refuses %s', (_name, last) => {
    const authentication = started('user');
    authentication.receive(ask(11, SERVER_FIRST));
    expect(authentication.receive(last).kind).toBe('fault');
  });

  it.each([
    ['a nonce of its own', SERVER_FIRST.replace('rOpr', 'xOpr')],
    ['the nonce with nothing added', `r=${NONCE},s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096`],
    ['200,001 iterations', SERVER_FIRST.replace('4096', '200001')],
    ['no salt', `r=${NONCE}abc,i=4096`],
  ])('refuses a challenge with %s', (_name, first) => {
    expect(started('user').receive(ask(11, first)).kind).toBe('fault');
  });

  it('answers md5 with the digest of the digest of password and user, and the salt', () => {
    const md5 = (data: Buffer): string => createHash('md5').update(data).digest('hex');
    const salt = Buffer.from([1, 2, 3, 4]);
    const wanted = `md5${md5(Buffer.concat([Buffer.from(md5(Buffer.from('penciluser'))), salt]))}\0`;
    expect(
      sent(
        new UpstreamAuthentication({ user: 'user', password: 'pencil' }, authenticationCrypto).receive(ask(5, salt)),
      ),
    ).toBe(wanted);
  });

  it('refuses Kerberos (7), a password where it has none, and a message without a method', () => {
    const authentication = new UpstreamAuthentication({ user: 'user', password: undefined }, authenticationCrypto);
    for (const asked of [ask(7), ask(3), message('R', '')]) expect(authentication.receive(asked).kind).toBe('fault');
  });
});

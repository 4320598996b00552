import { createHash, createHmac } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { authenticationCrypto } from '../../../../src/agent/fronts/postgres/authentication-crypto.js';
import { scramVerifier } from '../../../../src/protocols/postgres/opening/scram-verifier.js';

describe('scramVerifier', () => {
  it('checks the proof, and gives the signature, of the exchange in RFC 7677 section 3', () => {
    const nonce = 'rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0';
    const salt = 'W22ZaJ0SNY7soEsUEjb6gQ==';
    const exchange = `n=user,r=rOprNGfwEbeRWgbNEkqO,r=${nonce},s=${salt},i=4096,c=biws,r=${nonce}`;
    const crypto = { ...authenticationCrypto, random: () => Buffer.from(salt, 'base64') };
    const [, storedKey = '', serverKey = ''] =
      /^SCRAM-SHA-256\$4096:W22ZaJ0SNY7soEsUEjb6gQ==\$(.*):(.*)$/.exec(scramVerifier('pencil', crypto)) ?? [];
    const sign = (key: string): Buffer => createHmac('sha256', Buffer.from(key, 'base64')).update(exchange).digest();
    expect(sign(serverKey).toString('base64')).toBe('6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=');
    const proof = Buffer.from('dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=', 'base64');
    const clientKey = sign(storedKey).map((byte, index) => byte ^ (proof[index] as number));
    expect(createHash('sha256').update(clientKey).digest('base64')).toBe(storedKey);
  });

  it('has another salt each time', () => {
    expect(scramVerifier('foo', authenticationCrypto)).not.toBe(scramVerifier('foo', authenticationCrypto));
  });
});

import { createHash, randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { keccak256, sha256 } from '../../../src/masking/entities/digests.js';
import { bytesOf, masked, maskerOf } from '../support.js';

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');

describe('hashes that addresses are checked by', () => {
  it('give what Node gives: SHA-256 of 0 to 200 bytes', () => {
    for (let length = 0; length <= 200; length += 1) {
      const input = randomBytes(length);
      expect(hex(sha256(input))).toBe(createHash('sha256').update(input).digest('hex'));
    }
  });

  it('give what is published: Keccak-256 of nothing, of `abc`, and of more than one block', () => {
    expect(hex(keccak256(bytesOf('')))).toBe('c5d2460186f7233c927e7db2dcc703c0e500b653ca82273b7bfad8045d85a470');
    expect(hex(keccak256(bytesOf('abc')))).toBe('4e03657aea45a94fc7d47ba826c8d667c0d1e6e33a64a036ec44f58fa12d6c45');
    expect(hex(keccak256(new Uint8Array(200).fill(0xa3)))).toBe(
      '3a57666b048777f2c953dc4456f45a2588e1cb6f2da760122d530ac2ce607d4a',
    );
  });
});

describe('addresses of wallets and codes of banks', () => {
  const masker = maskerOf(['bitcoin-address', 'ethereum-address', 'bic']);

  it.each([
    ['a capital that the hash does not have', '0x5AAeb6053F3E94C9b9A09f33669435E7Ef1BeAed'],
    ['41 digits', '0x5aaeb6053f3e94c9b9a09f33669435e7ef1beaed1'],
    ['a letter that Base58 does not have', '1A1zP1eP5QGefi2DMPTfTL5SLmv7Divf0a'],
    ['the case of one letter changed', '1a1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa'],
    ['a hash in hex', '3a57666b048777f2c953dc4456f45a2588e1cb6f'],
    ['a word behind swift', 'swift delivery'],
    ['no country', 'swift ABCDQQ33'],
    ['a code without a word', 'DEUTDEFF'],
  ])('are none with %s: %s', (_what, text) => {
    expect(masked(masker, text)).toBe('unchanged');
  });
});

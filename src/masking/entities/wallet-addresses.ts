import { keccak256, sha256 } from './digests.js';

const BASE58 = '123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz';
/** Version, twenty bytes of a hash, four of its own hash. */
const DECODED_BYTES = 25;
const CHECKED_BYTES = 21;

/**
 * Is this a Bitcoin address in Base58Check?
 *
 * @see https://en.bitcoin.it/wiki/Base58Check_encoding
 */
export function isBase58Address(bytes: Uint8Array, from: number, to: number): boolean {
  const decoded = new Uint8Array(DECODED_BYTES);
  for (let at = from; at < to; at += 1) {
    let carry = BASE58.indexOf(String.fromCharCode(bytes[at] as number));
    if (carry < 0) return false;
    for (let index = DECODED_BYTES - 1; index >= 0; index -= 1) {
      carry += 58 * (decoded[index] as number);
      decoded[index] = carry & 0xff;
      carry >>= 8;
    }
    if (carry > 0) return false;
  }
  const check = sha256(sha256(decoded.subarray(0, CHECKED_BYTES)));
  return decoded.subarray(CHECKED_BYTES).every((byte, index) => byte === check[index]);
}

/**
 * Is this an Ethereum address: `0x` and 40 hex digits, in one case, or with capitals where its hash has them?
 *
 * @see https://eips.ethereum.org/EIPS/eip-55
 */
export function isEthereumAddress(bytes: Uint8Array, from: number, to: number): boolean {
  const digits = String.fromCharCode(...bytes.subarray(from + 2, to));
  if (digits === digits.toLowerCase() || digits === digits.toUpperCase()) return true;
  const hash = keccak256(new TextEncoder().encode(digits.toLowerCase()));
  return Array.from(digits).every((digit, index) => {
    if (digit >= '0' && digit <= '9') return true;
    const nibble = (hash[index >> 1] as number) >> (index % 2 === 0 ? 4 : 0);
    return ((nibble & 8) === 8) === (digit === digit.toUpperCase());
  });
}

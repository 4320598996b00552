import { luhn, isOneDigit } from './number-checks.js';
import type { NumberKind, Values } from './number-kind.js';
import { isBase58Address, isEthereumAddress } from './wallet-addresses.js';

const at = (values: Values, index: number): number => values[index] as number;

const VIN_VALUES = '0123456789.ABCDEFGH..JKLMN.P.R..STUVWXYZ';
const VIN_WEIGHTS = [8, 7, 6, 5, 4, 3, 2, 10, 0, 9, 8, 7, 6, 5, 4, 3, 2];

/** @see ISO 3779, 49 CFR 565.15 */
function isVin(values: Values): boolean {
  let sum = 0;
  for (let index = 0; index < 17; index += 1) {
    const place = VIN_VALUES.indexOf(at(values, index).toString(36).toUpperCase());
    if (place < 0) return false;
    sum += (place % 10) * (VIN_WEIGHTS[index] as number);
  }
  const check = sum % 11;
  return at(values, 8) === (check === 10 ? 33 : check);
}

/** The letter as a value, and the last digit as a byte. */
const B = 11;
const NINE = 0x39;

const BECH32 = 'qpzry9x8gf2tvdw0s3jn54khce6mua7l';
const BECH32_STEPS = [0x3b6a57b2, 0x26508e6d, 0x1ea119fa, 0x3d4233dd, 0x2a1462b3];

/** One step of Bech32's checksum. @see https://github.com/bitcoin/bips/blob/master/bip-0173.mediawiki */
function polymod(state: number, value: number): number {
  const top = state >>> 25;
  let next = ((state & 0x1ffffff) << 5) ^ value;
  BECH32_STEPS.forEach((step, index) => {
    if (((top >>> index) & 1) === 1) next ^= step;
  });
  return next >>> 0;
}

const BECH32_SUM = 1;
const BECH32M_SUM = 0x2bc830a3;

function isSegwit(values: Values, count: number): boolean {
  let state = 1;
  // The prefix `bc`, expanded: high bits, zero, low bits.
  for (const value of [3, 3, 0, 2, 3]) state = polymod(state, value);
  for (let index = 3; index < count; index += 1) {
    const place = BECH32.indexOf(at(values, index).toString(36));
    if (place < 0) return false;
    state = polymod(state, place);
  }
  return state === BECH32_SUM || state === BECH32M_SUM;
}

/** Numbers of devices and vehicles, and addresses of wallets. */
export const DEVICES: readonly NumberKind[] = [
  {
    name: 'mac-address',
    sure: ['FF:FF:FF:FF:FF:FF', 'FF-FF-FF-FF-FF-FF', 'FFFF.FFFF.FFFF'],
    check: (values, count) => !isOneDigit(values, count),
  },
  {
    name: 'imei',
    near: ['999999999999999', '99-999999-999999-9'],
    words: ['imei'],
    check: (values) => luhn(values, 0, 15) && !isOneDigit(values, 15),
  },
  {
    name: 'vin',
    near: ['X'.repeat(17)],
    words: ['vin', 'chassis', 'vehicle', 'fahrgestellnummer'],
    check: isVin,
  },
  {
    name: 'bitcoin-address',
    sure: [
      ...[39, 59].map((length) => `bc1${'X'.repeat(length)}`),
      ...['1', '3'].flatMap((first) => [31, 32, 33].map((length) => first + 'X'.repeat(length))),
    ],
    check: (values, count) => at(values, 0) !== B || isSegwit(values, count),
    exact: (bytes, from, to) => (bytes[from] as number) > NINE || isBase58Address(bytes, from, to),
  },
  { name: 'ethereum-address', sure: [`0x${'F'.repeat(40)}`], check: () => true, exact: isEthereumAddress },
];

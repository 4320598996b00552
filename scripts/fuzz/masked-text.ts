import type { CopyFormat } from '../../src/protocols/postgres/copy/copy-format.js';
import type { Dice } from './mutation.js';
import { mutated } from './mutation.js';

const DIGITS = '0123456789';
const LETTERS = 'abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ';
const TOKEN = `${LETTERS}${DIGITS}`;
const GAPS = [
  '',
  ' ',
  '-',
  '.',
  '\u00a0',
  '\u2011',
  '\u2013',
  '\u2212',
  ' - ',
  ' \u2013 ',
  '\u2009',
  '\u3000',
  '/',
  '  ',
  '_',
];
/** Bytes that decide something somewhere. */
const HOT = `${DIGITS}${DIGITS} .-+()@:/\\"'_eyJBGINskAKorDEx,;|=[]{}\t\n\r\u00a0\u2013é用`;
const EDGES = [
  '',
  '',
  ' ',
  '"',
  "'",
  '(',
  '.',
  '-',
  '_',
  ':',
  '@',
  '/',
  '\\n',
  '\\',
  'x',
  '7',
  '\t',
  '\n',
  'é',
  ', ',
  '{',
  '[',
];

/** Cells full of what masks are about: secrets of every kind, some spoilt, among bytes that matter to detectors. */
export class MaskedText {
  constructor(private readonly dice: Dice) {}

  cell(): Buffer {
    const { dice } = this;
    const parts: Buffer[] = [];
    for (let count = dice.below(4); count > 0; count -= 1)
      parts.push(Buffer.from(dice.pick(EDGES)), this.#piece(), Buffer.from(dice.pick(EDGES)));
    return Buffer.concat(parts);
  }

  json(): Buffer {
    const { dice } = this;
    if (dice.chance(20)) return this.cell();
    const value = dice.chance(30) ? Number(this.#chars(DIGITS, 14)) : this.#piece().toString();
    const text = JSON.stringify(dice.chance(50) ? { [this.#piece().toString()]: value, n: [1.5, null] } : [value, 'x']);
    return Buffer.from(
      dice.chance(20) ? text.replace(/[@e4-]/g, (char) => `\\u00${char.charCodeAt(0).toString(16)}`) : text,
    );
  }

  /** As the server writes a field; sometimes as it never would. */
  field(format: CopyFormat): Buffer {
    const { dice } = this;
    if (dice.chance(10)) return Buffer.from(format.nullText);
    const value = dice.chance(15) ? this.json() : dice.chance(5) ? hexOf(this.cell()) : this.cell();
    // CSV that the server would not write has no one meaning.
    if (format.kind === 'text' && dice.chance(10)) return value;
    const text = value.toString('latin1');
    const delimiter = String.fromCharCode(format.delimiter);
    if (format.kind === 'csv') {
      const quoted = dice.chance(20) || [delimiter, '"', '\n', '\r'].some((char) => text.includes(char));
      return Buffer.from(quoted ? `"${text.replaceAll('"', '""')}"` : text, 'latin1');
    }
    const escaped = text
      .replaceAll('\\', '\\\\')
      .replaceAll('\t', '\\t')
      .replaceAll('\n', '\\n')
      .replaceAll('\r', '\\r')
      .replaceAll(delimiter, `\\${delimiter}`);
    return Buffer.from(escaped, 'latin1');
  }

  #piece(): Buffer {
    const { dice } = this;
    if (dice.chance(15)) return Buffer.from(this.#chars(HOT, dice.below(30)));
    if (dice.chance(5)) return Buffer.from(Array.from({ length: dice.below(20) }, () => dice.below(256)));
    const secret = Buffer.from(this.#secret());
    if (dice.chance(70)) return secret;
    return dice.chance(50) ? mutated(secret, dice) : secret.subarray(dice.below(3), secret.length - dice.below(3));
  }

  #chars(alphabet: string, count: number): string {
    const all = [...alphabet];
    return Array.from({ length: count }, () => this.dice.pick(all)).join('');
  }

  #grouped(digits: string, sizes: readonly number[]): string {
    const gap = this.dice.pick(GAPS);
    let at = 0;
    return sizes
      .map((size) => digits.slice(at, (at += size)))
      .map((group, index) =>
        index === 0 || group === '' ? group : `${this.dice.chance(90) ? gap : this.dice.pick(GAPS)}${group}`,
      )
      .join('');
  }

  #secret(): string {
    const { dice } = this;
    const token = (least: number): string => this.#chars(TOKEN, least + dice.below(12));
    const n = (count: number): string => this.#chars(DIGITS, count);
    switch (dice.below(18)) {
      case 0:
      case 1:
        return this.#email();
      case 2:
      case 3:
        return this.#grouped(this.#card(), dice.pick([[19], [19], [4, 4, 4, 7], [4, 6, 9], [3, 16]]));
      case 4:
        return this.#grouped(n(9), [3, 2, 4]);
      case 5:
        return this.#phone();
      case 6:
        return this.#grouped(this.#iban(), dice.pick([[34], [4, 4, 4, 4, 4, 4, 4, 6]]));
      case 7:
        return dice.chance(50)
          ? [0, 1, 2, 3].map(() => dice.below(dice.pick([10, 100, 300]))).join('.')
          : dice.pick([
              '::1',
              'fe80::1',
              '2001:db8::ff00:42:8329',
              '1:2:3:4:5:6:7:8',
              '::ffff:1.2.3.4',
              'a::b',
              '12:30:45',
            ]);
      case 8:
        return `eyJ${token(5)}.${dice.pick(['eyJ', ''])}${token(5)}${dice.pick(['', '.', `.${token(10)}`])}`;
      case 9:
        return `-----BEGIN ${dice.pick(['', 'RSA ', 'PUBLIC '])}PRIVATE KEY-----\n${token(5)}${dice.pick(['', '\n-----END PRIVATE KEY-----'])}`;
      case 10:
        return `${dice.pick(['AKIA', 'ASIA'])}${this.#chars('ABCDEFGHIJKLMNOPQRSTUVWXYZ234567', 16)}`;
      case 11:
        return `${dice.pick(['ghp_', 'github_pat_', 'npm_', 'hf_', 'shpat_', 'whsec_'])}${token(28)}`;
      case 12:
        return `${dice.pick(['sk-ant-', 'sk-', 'sk_live_', 'xoxb-', 'xapp-', 'glpat-'])}${dice.pick(['', '1'])}${token(14)}`;
      case 13:
        return `${dice.pick(['AIza', 'GOCSPX-', 'SG.', 'pypi-', 'dop_v1_'])}${token(dice.pick([30, 58]))}`;
      case 14:
        return `${dice.pick(['db://', 'https://', '://'])}joe${dice.pick([':', ''])}${token(4)}${dice.pick(['@', '/@', '@x@'])}host`;
      case 15:
        return this.#grouped(this.#cpf(), dice.pick([[11], [3, 3, 3, 2]])).replace(/([.])(\d\d)$/, '-$2');
      case 16:
        return dice.pick(['ORD-AB12', 'ORD-', `Q${n(6)}`, 'Q12']);
      default:
        return dice.pick([
          `${n(8)}-${n(4)}-${n(4)}-${n(4)}-${n(12)}`,
          `2024-01-1${n(1)} 12:30:45.${n(6)}+00`,
          n(13),
          `${n(4)}.${n(2)}`,
        ]);
    }
  }

  #email(): string {
    const { dice } = this;
    const local = dice.pick([this.#chars(`${LETTERS}._+-%é`, 1 + dice.below(8)), '"a b"', 'u_3f2a90bc11de', '.x', '']);
    const domain = dice.pick([
      `${this.#chars(LETTERS, 1 + dice.below(5))}.com`,
      'a-b.co.uk',
      'masked.invalid',
      '2x.png',
      '1.2.3-rc',
      'x.рф',
      'host',
      'a..b',
      'b.c1',
    ]);
    return `${local}@${domain}`;
  }

  #phone(): string {
    const { dice } = this;
    const n = (count: number): string => this.#chars(DIGITS, count);
    const area = `${2 + dice.below(8)}${n(2)}`;
    const exchange = `${2 + dice.below(8)}${n(2)}`;
    if (dice.chance(25)) return `(${area})${dice.pick(GAPS)}${exchange}${dice.pick(GAPS)}${n(4)}`;
    if (dice.chance(30)) return `+${this.#grouped(n(7 + dice.below(8)), [dice.below(4), 3, 3, 9])}`;
    return `${dice.pick(['', '', '1-', '+1 ', '1 ', '1'])}${this.#grouped(`${area}${exchange}${n(4)}`, [3, 3, 4])}`;
  }

  #card(): string {
    const [prefix, length] = this.dice.pick([
      ['4', 16],
      ['4', 13],
      ['51', 16],
      ['37', 15],
      ['6011', 16],
      ['62', 19],
      ['36', 14],
    ] as const);
    const payload = `${prefix}${this.#chars(DIGITS, 19)}`.slice(0, length - 1);
    for (let check = 0; check < 10; check += 1) {
      const sum = [...`${payload}${String(check)}`].reverse().reduce((total, char, index) => {
        const value = Number(char) * (index % 2 === 1 ? 2 : 1);
        return total + (value > 9 ? value - 9 : value);
      }, 0);
      if (sum % 10 === 0) return `${payload}${String(check)}`;
    }
    return payload;
  }

  #iban(): string {
    const [country, length] = this.dice.pick([
      ['DE', 18],
      ['NO', 11],
      ['GB', 18],
      ['fr', 23],
    ] as const);
    const account = this.#chars(country === 'DE' || country === 'NO' ? DIGITS : `ABX${DIGITS}`, length);
    const digits = [...`${account}${country.toUpperCase()}00`]
      .map((char) => (/\d/.test(char) ? char : String(char.charCodeAt(0) - 55)))
      .join('');
    return `${country}${String(98n - (BigInt(digits) % 97n)).padStart(2, '0')}${account}`;
  }

  #cpf(): string {
    const nine = this.#chars(DIGITS, 9);
    const check = (text: string): string =>
      String(
        (([...text].reduce((sum, char, index) => sum + Number(char) * (text.length + 1 - index), 0) * 10) % 11) % 10,
      );
    const first = check(nine);
    return nine + first + check(nine + first);
  }
}

function hexOf(bytes: Buffer): Buffer {
  return Buffer.from(`\\x${bytes.toString('hex')}`);
}

import { describe, expect, it } from 'vitest';
import { createStreamMasker } from '../../../src/masking/streams/stream-masker.js';
import { createTextMasker } from '../../../src/masking/text-masker.js';
import { spellingAt, spellingByte, spellingLength } from '../../../src/masking/spellings/spellings.js';
import { bytesOf, hash, ruleOf, textOf } from '../support.js';

const ENTITIES = ['email', 'credit-card', 'us-ssn', 'phone', 'iban', 'jwt'];
const redact = [ruleOf(ENTITIES)];
const streams = createStreamMasker({ rules: redact, custom: [], hash });
const whole = createTextMasker({ rules: redact, custom: [], hash });
const masked = (text: string): string => whole.maskText(text, new Map());

function streamed(text: string, cuts: readonly number[], kind: 'text' | 'json' = 'text'): string {
  const bytes = bytesOf(text);
  const stream = streams[kind](new Map());
  let out = '';
  const decoder = new TextDecoder();
  for (let index = 0, from = 0; index <= cuts.length; index += 1) {
    const to = cuts[index] ?? bytes.length;
    out += decoder.decode(stream.push(bytes.subarray(from, to)), { stream: true });
    from = to;
  }
  return out + decoder.decode(stream.end());
}

const wide = (text: string): string =>
  Array.from(text, (sign) => String.fromCodePoint((sign.codePointAt(0) ?? 0) + 0xfee0)).join('');
const between = (text: string, sign: string): string => Array.from(text).join(sign);

/** In each the value is gone, and what is around it stands as it was written. */
const CASES: readonly (readonly [text: string, masked: string])[] = [
  ['to alice&#64;example.com.', 'to [email].'],
  ['to alice&#x40;example&#46;com.', 'to [email].'],
  ['to alice&#0000000064example.com.', 'to [email].'],
  ['to alice&commat;example&period;com.', 'to [email].'],
  ['to alice&amp;#64;example.com.', 'to [email].'],
  ['to &#97;lice@example.com.', 'to [email].'],
  ['<a href="mailto:alice%40example.com">', '<a href="mailto:[email]">'],
  ['?to=alice%2540example.com&x=%20', '?to=[email]&x=%20'],
  ['"alice\\u0040example.com"', '"[email]"'],
  ['"alice\\\\u0040example.com"', '"[email]"'],
  ['"alice\\x40example\\u{2e}com"', '"[email]"'],
  [`to ${wide('alice@example.com')} 。`, 'to [email] 。'],
  [`to ${between('alice@example.com', '\u200b')}!`, 'to [email]!'],
  [`to al\u00adice@exam\u2060ple.com!`, 'to [email]!'],
  ['to 𝐚𝐥𝐢𝐜𝐞@example.com!', 'to [email]!'],
  [`card ${wide('4111111111111111')}!`, 'card [credit-card]!'],
  [`card ${between('4111 1111 1111 1111', '\u200d')}!`, 'card [credit-card]!'],
  ['card ٤١١١١١١١١١١١١١١١!', 'card [credit-card]!'],
  ['card ४१११ ११११ ११११ ११११!', 'card [credit-card]!'],
  ['card 𝟒𝟏𝟏𝟏𝟏𝟏𝟏𝟏𝟏𝟏𝟏𝟏𝟏𝟏𝟏𝟏!', 'card [credit-card]!'],
  ['card 4111&nbsp;1111&#160;1111&ensp;1111!', 'card [credit-card]!'],
  ['card 4111%201111%201111%201111!', 'card [credit-card]!'],
  ['ssn 078&#45;05&hyphen;1120!', 'ssn [us-ssn]!'],
  ['ssn 078－05－1120!', 'ssn [us-ssn]!'],
  ['caf&eacute; &amp; more: alice@example.com &lt;', 'caf&eacute; &amp; more: [email] &lt;'],
];

describe('values in another way of writing', () => {
  it.each(CASES)('are masked as what readers take them for: %s', (text, expected) => {
    expect(masked(text)).toBe(expected);
    expect(streamed(text, [])).toBe(expected);
  });

  it.each(CASES)('are masked the same however the text is cut: %s', (text, expected) => {
    const { length } = bytesOf(text);
    for (let cut = 1; cut < length; cut += 1) expect(streamed(text, [cut])).toBe(expected);
    expect(
      streamed(
        text,
        Array.from({ length: length - 1 }, (_, index) => index + 1),
      ),
    ).toBe(expected);
  });

  it.each(CASES)('are masked in a string of JSON, which stays JSON: %s', (text, expected) => {
    const json = JSON.stringify({ text, n: 1.5 });
    const { length } = bytesOf(json);
    expect(JSON.parse(streamed(json, []))).toEqual({ text: expected, n: 1.5 });
    expect(
      streamed(
        json,
        Array.from({ length: length - 1 }, (_, index) => index + 1),
      ),
    ).toBe(streamed(json, []));
  });

  it.each([
    'AT&T &amp; Co: 100% of 4111, &c. &nosuch; &#; &#x; %zz \\u12 \\q 用户，你好！😀❤️ “quoted” – dash',
    'a%20b%2Fc?x=%E2%82%AC&y=1',
    '&amp;amp;lt; \\\\server\\share &#65;&#66;',
  ])('stay byte for byte where nothing is found: %s', (text) => {
    expect(masked(text)).toBe(text);
    expect(streamed(text, [])).toBe(text);
    const { length } = bytesOf(text);
    expect(
      streamed(
        text,
        Array.from({ length: length - 1 }, (_, index) => index + 1),
      ),
    ).toBe(text);
  });

  it('only add to what is found as it is written', () => {
    for (const text of ['4111111111111111&#65;', 'x&#52;4111111111111111', 'a\u200b4111111111111111'])
      expect(masked(text)).toContain('[credit-card]');
  });

  it('have the pseudonym, and show the part, of the value itself', () => {
    for (const strategy of ['hash', 'partial'] as const) {
      const masker = createTextMasker({ rules: [ruleOf(ENTITIES, strategy)], custom: [], hash });
      const stream = createStreamMasker({ rules: [ruleOf(ENTITIES, strategy)], custom: [], hash }).text(new Map());
      const plain = masker.maskText('to alice@example.com!', new Map());
      expect(masker.maskText('to alice&#64;example.com!', new Map())).toBe(plain);
      expect(textOf(stream.push(bytesOf('to alice%40example.com!'))) + textOf(stream.end())).toBe(plain);
    }
  });

  it('may be a placeholder’s original, as it was written', () => {
    const found: string[] = [];
    whole.maskText('to alice&#64;example.com!', new Map(), (value) => (found.push(value), '[1]'));
    expect(found).toEqual(['alice&#64;example.com']);
  });

  it('may be of a kind of one’s own', () => {
    const custom = [{ name: 'order', pattern: 'ORD-[A-Z0-9]{4}', validate: 'none' as const }];
    const own = createTextMasker({ rules: [ruleOf(['order'])], custom, hash });
    expect(own.maskText('an ORD&#45;AB12 order, ＯＲＤ－ＡＢ１２ too', new Map())).toBe(
      'an [order] order, [order] too',
    );
  });
});

describe('another way of writing', () => {
  it('of a digit is known for every row of digits below U+10000', () => {
    for (let point = 0x80; point < 0x10000; point += 1) {
      const sign = String.fromCodePoint(point);
      if (!/\p{Nd}/u.test(sign)) continue;
      const bytes = bytesOf(sign);
      const spelling = spellingAt(bytes, 0, bytes.length, true);
      expect([sign, spellingLength(spelling)]).toEqual([sign, bytes.length]);
      expect(spellingByte(spelling)).toBeGreaterThanOrEqual(0x30);
      expect(spellingByte(spelling)).toBeLessThan(0x3a);
    }
  });

  it('costs linear time in texts of nothing else', () => {
    for (const piece of ['&', '&#', '&amp;', '&#0', '%25', '\\', '\\u', '\u200b', '&#64;', 'a&#64;']) {
      const text = piece.repeat(200_000 / piece.length);
      const started = process.cpuUsage().user;
      masked(text);
      streamed(text, []);
      expect((process.cpuUsage().user - started) / 1e6).toBeLessThan(5);
    }
  });
});

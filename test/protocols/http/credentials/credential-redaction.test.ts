import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createRedactor } from '../../../../src/protocols/http/credentials/credential-redaction.js';

const KEY = 'sk-live/7Qx+"é\u2028z=&<K9';
const SECRETS = [`Bearer ${KEY}`];

function redacted(secrets: readonly string[], body: Uint8Array, cuts: readonly number[] = []): string {
  const stream = createRedactor(secrets).stream();
  const edges = [0, ...[...cuts].sort((a, b) => a - b), body.length];
  const parts = edges.slice(1).map((to, index) => stream.push(body.subarray(edges[index], to)));
  return Buffer.concat([...parts, stream.end()]).toString('latin1');
}
const redactedText = (text: string, secrets: readonly string[] = SECRETS): string =>
  redacted(secrets, Buffer.from(text));

describe('the injected credential in an answer', () => {
  it.each([
    ['as it is', KEY],
    ['with its scheme', `Bearer ${KEY}`],
    ['as JSON', JSON.stringify(KEY).slice(1, -1)],
    ['as JSON with slashes escaped', JSON.stringify(KEY).slice(1, -1).replaceAll('/', '\\/')],
    [
      'as JSON in ASCII',
      JSON.stringify(KEY)
        .slice(1, -1)
        .replace(/[^ -~]/g, (sign) => `\\u${sign.charCodeAt(0).toString(16).padStart(4, '0')}`),
    ],
    ['percent-encoded', encodeURIComponent(KEY)],
    ['percent-encoded in small letters', encodeURIComponent(KEY).replace(/%../g, (escape) => escape.toLowerCase())],
    ['as in an address', encodeURI(KEY)],
    ['in a form', new URLSearchParams({ key: KEY }).toString().slice(4)],
  ])('is taken out %s', (_how, spelling) => {
    const text = redactedText(`before ${spelling} behind`);
    expect(text).toMatch(/^before \S*\[credential\]\*+ behind$/);
    expect(text).toHaveLength(Buffer.from(`before ${spelling} behind`).length);
  });

  it.each([0, 1, 2])(
    'is taken out of base64 and base64url when %d bytes stand before it in the group of three',
    (count) => {
      for (const encoding of ['base64', 'base64url'] as const)
        for (const behind of ['', 'x', 'xy', 'some more of it']) {
          const encoded = Buffer.from('abc'.repeat(2) + 'x'.repeat(count) + KEY + behind).toString(encoding);
          const text = redactedText(`{"data":"${encoded}"}`);
          expect(text).toContain('[credential]');
          const kept = Buffer.from(text.slice(9).split(/[[*]/)[0] ?? '', encoding).toString();
          expect(kept).not.toContain(KEY.slice(0, 3));
        }
    },
  );

  it('of HTTP Basic is taken out as sent, as name and password, and as the password', () => {
    const secrets = [`Basic ${Buffer.from('admin:correct-horse').toString('base64')}`];
    for (const spelling of [secrets[0] as string, secrets[0]?.slice(6) as string, 'admin:correct-horse'])
      expect(redactedText(`a ${spelling} z`, secrets)).toMatch(/^a (?:Basic )?\[credential\]\** z$/);
    expect(redactedText('correct-horse', secrets)).toBe('[credential]*');
  });

  it('is known by its case and whole: a part of it, and other capitals, stay', () => {
    expect(redactedText('sk-live-0123456', ['SK-LIVE-0123456'])).toBe('sk-live-0123456');
    expect(redactedText('SK-LIVE-012345', ['SK-LIVE-0123456'])).toBe('SK-LIVE-012345');
  });

  it('of 3 characters stays, of 4 is taken out as it is, of 8 also encoded', () => {
    expect(redactedText('abc', ['abc'])).toBe('abc');
    expect(redactedText('xabcdx', ['abcd'])).toBe('x****x');
    expect(redactedText(btoa('a/cd'), ['a/cd'])).toBe(btoa('a/cd'));
    expect(redactedText('a%2Fcd', ['a/cd'])).toBe('a%2Fcd');
    expect(redactedText('a%2Fcdefgh', ['a/cdefgh'])).toBe('**********');
  });

  it('nothing is taken out where there is none', () => {
    const body = Buffer.from('anything at all');
    expect(createRedactor([]).stream().push(body)).toBe(body);
    expect(redactedText('anything at all', ['', ' '])).toBe('anything at all');
  });

  it('is taken out of header values, which stay as they are without it', () => {
    const { redactText } = createRedactor(SECRETS);
    expect(redactText(`x=${KEY}; y`)).toMatch(/^x=\[credential\]\*+; y$/);
    expect(redactText('caf\u00e9')).toBe('caf\u00e9');
  });

  it('is held back only from where it may begin', () => {
    const stream = createRedactor(['abcdefgz']).stream();
    expect(Buffer.from(stream.push(Buffer.from('hello abcdef'))).toString()).toBe('hello ');
    expect(Buffer.from(stream.push(Buffer.from('X more'))).toString()).toBe('abcdefX more');
    expect(stream.found).toBe(false);
    expect(Buffer.from(stream.push(Buffer.from('abcdefgz.'))).toString()).toBe('********.');
    expect(stream.found).toBe(true);
  });

  it('gives the same bytes however the body is cut, and none of the credential', () => {
    const secret = fc.string({ unit: fc.constantFrom(...'ab'), minLength: 4, maxLength: 7 });
    const bodyOf = fc.string({ unit: fc.constantFrom(...'abc'), maxLength: 60 });
    fc.assert(
      fc.property(
        fc.array(secret, { minLength: 1, maxLength: 3 }),
        bodyOf,
        fc.array(fc.nat(60), { maxLength: 8 }),
        (secrets, body, cuts) => {
          const bytes = Buffer.from(body);
          const whole = redacted(secrets, bytes);
          expect(
            redacted(
              secrets,
              bytes,
              cuts.filter((cut) => cut <= bytes.length),
            ),
          ).toBe(whole);
          // By the definition: every byte of every place where a secret stands is hidden, and no other.
          const hidden = new Set<number>();
          for (const one of secrets)
            for (let at = body.indexOf(one); at !== -1; at = body.indexOf(one, at + 1))
              for (let index = at; index < at + one.length; index += 1) hidden.add(index);
          const expected = Array.from(body, (sign, index) => (hidden.has(index) ? '*' : sign)).join('');
          expect(whole.replace(/\[credential\]/g, '************')).toBe(expected);
        },
      ),
      { numRuns: 3_000 },
    );
  });

  it('is found at every cut of a body that nearly holds it many times', () => {
    const body = Buffer.from(`${'sk-live/7Qx'.repeat(3)}${KEY}${KEY.slice(0, 9)}`);
    const whole = redacted(SECRETS, body);
    expect(whole).toContain('[credential]');
    for (let cut = 0; cut <= body.length; cut += 1) expect(redacted(SECRETS, body, [cut])).toBe(whole);
  });
});

describe('the injected credential as encoders write it that leave nothing to chance', () => {
  const key = 'sk-live_9f3a.7c21d8';
  const each = (write: (byte: number) => string): string => Array.from(Buffer.from(key), write).join('');
  const hex = (byte: number): string => byte.toString(16).padStart(2, '0');
  const signs = (write: (byte: number) => string): string =>
    each((byte) => (/\w/.test(String.fromCharCode(byte)) ? String.fromCharCode(byte) : write(byte)));

  it.each([
    ['in hex', Buffer.from(key).toString('hex')],
    ['in hex of capitals', Buffer.from(key).toString('hex').toUpperCase()],
    ['backwards', Array.from(key).reverse().join('')],
    ['in UTF-16', Buffer.from(key, 'utf16le').toString('latin1').slice(0, -1)],
    ['in percent escapes', each((byte) => `%${hex(byte)}`)],
    ['in percent escapes of signs', signs((byte) => `%${hex(byte).toUpperCase()}`)],
    ['in escapes of scripts', each((byte) => `\\u00${hex(byte)}`)],
    ['in escapes of signs', signs((byte) => `\\x${hex(byte)}`)],
    ['in references of HTML', each((byte) => `&#${String(byte)};`)],
    ['in references of signs', signs((byte) => `&#x${hex(byte)};`)],
  ])('is taken out %s, whatever the cut', (_how, spelling) => {
    const secrets = [`Bearer ${key}`];
    const body = Buffer.from(`before ${spelling} behind`);
    const whole = redacted(secrets, body);
    expect(whole).toMatch(/^before \[credential\]\*+ behind$/);
    expect(whole).toHaveLength(body.length);
    for (let cut = 1; cut < body.length; cut += 1) expect(redacted(secrets, body, [cut])).toBe(whole);
  });
});

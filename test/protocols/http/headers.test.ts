import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { answerHeaders } from '../../../src/protocols/http/answers/answer-headers.js';
import { forwardedHeaders } from '../../../src/protocols/http/headers.js';

const namesOf = (raw: readonly string[], injected: readonly string[] = []): readonly string[] => {
  const read = forwardedHeaders(raw, injected);
  if ('code' in read) throw new Error(read.message);
  return read.headers.map(([name]) => name);
};
const faultOf = (raw: readonly string[]): string => {
  const read = forwardedHeaders(raw, []);
  return 'code' in read ? `${read.code}: ${read.message}` : 'taken';
};

const DROPPED = [
  'Connection',
  'Keep-Alive',
  'Proxy-Connection',
  'Proxy-Authorization',
  'Proxy-Authenticate',
  'TE',
  'Trailer',
  'Transfer-Encoding',
  'Upgrade',
  'Host',
  'Content-Length',
  'Expect',
  'Authorization',
  'X-Api-Key',
  'Api-Key',
  'Forwarded',
  'X-Forwarded-For',
  'X-Forwarded-Host',
  'X-Forwarded-User',
  'X-Forwarded-Access-Token',
  'X-Real-IP',
  'X-Remote-User',
  'X-Remote-Group',
  'X-Auth-Request-Email',
  'X-Original-URL',
  'X-Rewrite-URL',
  'X-Hoop-Session',
  'True-Client-IP',
  'X-Client-IP',
  'CF-Connecting-IP',
  'Remote-User',
  'X-Authenticated-User',
  'X-SSL-Client-Verify',
  'X-Client-Cert',
  'X-MS-Client-Principal-Name',
  'X-Goog-Authenticated-User-Email',
  'X-Amzn-Oidc-Data',
  'CF-Access-Jwt-Assertion',
  'Tailscale-User-Login',
  'X-HTTP-Method-Override',
  'X-Method-Override',
  'X-HTTP-Method',
];

describe('headers of a request', () => {
  it.each(DROPPED)('%s does not go upstream, in any case, with `_` for `-` or not', (name) => {
    for (const spelled of [name, name.toLowerCase(), name.toUpperCase()])
      for (const written of [spelled, spelled.replaceAll('-', '_')]) expect(namesOf([written, 'chunked'])).toEqual([]);
  });

  it('go up in order, in lower case, with their values and the application’s own cookies', () => {
    const raw = ['Accept', '*/*', 'Cookie', 'sid=1', 'X-Custom', 'a', 'x-custom', 'b', 'X_Under', 'c'];
    expect(forwardedHeaders(raw, [])).toEqual({
      headers: [
        ['accept', '*/*'],
        ['cookie', 'sid=1'],
        ['x-custom', 'a'],
        ['x-custom', 'b'],
        ['x_under', 'c'],
      ],
    });
  });

  it('lose whatever Connection names', () => {
    expect(namesOf(['Connection', 'close, X-Tenant ,x-other', 'X-Tenant', '1', 'x_other', '2', 'X-Kept', '3'])).toEqual(
      ['x-kept'],
    );
  });

  it('lose what would stand in the place of the stored credential, in either spelling', () => {
    const raw = ['X-Crm-Token', 'mine', 'x_crm_token', 'mine', 'x-crm', 'kept'];
    expect(namesOf(raw, ['X-CRM-Token'])).toEqual(['x-crm']);
  });

  it('lose a second Content-Type in disguise', () => {
    expect(forwardedHeaders(['content-type', 'text/plain', 'Content_Type', 'application/json'], [])).toEqual({
      headers: [['content-type', 'text/plain']],
    });
  });

  it.each(['Host', 'Content-Length', 'Transfer-Encoding', 'Content-Type', 'Content-Encoding'])(
    'with %s twice are a fault',
    (name) => {
      expect(faultOf([name, 'chunked', name.toLowerCase(), 'chunked'])).toBe(
        `protocol: the ${name.toLowerCase()} header was sent twice`,
      );
    },
  );

  it('keep what is like a name that is dropped and is none', () => {
    const kept = ['x-amzn-trace-id', 'x-client-version', 'x-user', 'x-envoy-attempt-count', 'ssl-mode'];
    expect(namesOf(kept.flatMap((name) => [name, '1']))).toEqual(kept);
  });

  it('with both Content-Length and Transfer-Encoding are a fault', () => {
    expect(faultOf(['Content-Length', '3', 'Transfer-Encoding', 'chunked'])).toMatch(/^protocol: /);
  });

  it.each([
    ['a space in a name', ['x bad', '1']],
    ['a colon in a name', ['x:bad', '1']],
    ['an empty name', ['', '1']],
    ['a line break in a value', ['x-a', '1\r\nx-b: 2']],
    ['a NUL in a value', ['x-a', '1\0']],
    ['a character beyond Latin-1 in a value', ['x-a', '\u2028']],
    ['a coding besides chunked', ['transfer-encoding', 'gzip, chunked']],
    ['Connection naming what describes the body', ['connection', 'content-type']],
  ])('with %s are a fault', (_what, raw) => {
    expect(faultOf(raw)).toMatch(/^protocol: /);
  });

  it('never hold a dropped name, however it is written', () => {
    const written = fc.constantFrom(...DROPPED).chain((name) =>
      fc.array(fc.boolean(), { minLength: name.length, maxLength: name.length }).map((flips) =>
        Array.from(name, (sign, index) => {
          if (sign === '-') return flips[index] === true ? '_' : '-';
          return flips[index] === true ? sign.toUpperCase() : sign.toLowerCase();
        }).join(''),
      ),
    );
    fc.assert(
      fc.property(written, (name) => {
        expect(namesOf([name, 'chunked', 'x-kept', 'y'])).toEqual(['x-kept']);
      }),
      { numRuns: 500 },
    );
  });
});

const UPSTREAM = { upstream: 'https://api.example.com/base', base: '/c/crm' };

describe('headers of an answer', () => {
  const raw = [
    ...['Content-Type', 'text/plain', 'Content-Length', '9', 'Content-Encoding', 'br', 'Digest', 'x'],
    ...['Connection', 'X-Hop', 'X-Hop', '1', 'Alt-Svc', 'h3=":443"', 'X-Hoop-Session', 'forged', 'Set-Cookie', 'a=1'],
    ...['Strict-Transport-Security', 'max-age=1', 'ETag', '"1"', 'Keep-Alive', 'timeout=5', 'Trailer', 'x'],
  ];

  it('keep length and coding where the body goes on as it came', () => {
    expect(answerHeaders(raw, { ...UPSTREAM, base: '', altered: false })).toEqual([
      ['content-type', 'text/plain'],
      ['content-length', '9'],
      ['content-encoding', 'br'],
      ['digest', 'x'],
      ['set-cookie', 'a=1'],
      ['strict-transport-security', 'max-age=1'],
      ['etag', '"1"'],
    ]);
  });

  it('offer no ranges where the body is asked for as a whole', () => {
    const ranges = ['Accept-Ranges', 'bytes', 'Content-Length', '9'];
    expect(answerHeaders(ranges, { ...UPSTREAM, altered: false, whole: true })).toEqual([['content-length', '9']]);
    expect(answerHeaders(ranges, { ...UPSTREAM, altered: false })).toHaveLength(2);
  });

  it('lose length, coding and digests where the body is changed', () => {
    const names = answerHeaders(raw, { ...UPSTREAM, altered: true }).map(([name]) => name);
    expect(names).toEqual(['content-type', 'set-cookie', 'strict-transport-security', 'etag']);
  });

  it.each([
    ['https://api.example.com/base/x?y#z', '/c/crm/x?y#z'],
    ['HTTPS://API.example.com:443/base/x', '/c/crm/x'],
    ['//api.example.com/base/x', '/c/crm/x'],
    ['/base/x', '/c/crm/x'],
    ['/base', '/c/crm/'],
    ['/base?x=1', '/c/crm/?x=1'],
    ['/basement', '/basement'],
    ['/elsewhere', '/elsewhere'],
    ['x/y', 'x/y'],
    ['https://api.example.com.evil.example/base/x', 'https://api.example.com.evil.example/base/x'],
    ['https://user@api.example.com/base/x', 'https://user@api.example.com/base/x'],
    ['http://api.example.com/base/x', 'http://api.example.com/base/x'],
    ['https://other.example/base/x', 'https://other.example/base/x'],
  ])('lead from Location %j to %j', (location, local) => {
    expect(answerHeaders(['Location', location], { ...UPSTREAM, altered: false })).toEqual([['location', local]]);
  });

  it('on a local port lead to the path alone', () => {
    const headers = answerHeaders(['Location', 'https://api.example.com/base/x'], {
      ...UPSTREAM,
      base: '',
      altered: false,
    });
    expect(headers).toEqual([['location', '/x']]);
  });

  it.each([
    ['a=1; Path=/; HttpOnly', 'a=1; Path=/c/crm; HttpOnly'],
    ['a=1; path=/base/x; Domain=api.example.com; Secure', 'a=1; Path=/c/crm/x; Secure'],
    ['a=1', 'a=1'],
  ])('give the cookie %j as %j below the connection', (cookie, local) => {
    expect(answerHeaders(['Set-Cookie', cookie], { ...UPSTREAM, altered: false })).toEqual([['set-cookie', local]]);
  });

  it.each([
    ['a=1; Path=/base/x; Domain=api.example.com; Secure', 'a=1; Path=/x; Secure'],
    ['a=1; Path=/base', 'a=1; Path=/'],
    ['a=1;path=/;HttpOnly', 'a=1;path=/;HttpOnly'],
    ['a=1;path=/elsewhere', 'a=1;path=/elsewhere'],
    ['__Host-a=1; Path=/; Secure', '__Host-a=1; Path=/; Secure'],
  ])('give the cookie %j as %j at a local port', (cookie, local) => {
    const options = { ...UPSTREAM, base: '', altered: false };
    expect(answerHeaders(['Set-Cookie', cookie], options)).toEqual([['set-cookie', local]]);
  });
});

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { judgedPath, queryPairs, readTarget } from '../../../src/protocols/http/target.js';

const refused = (target: string): string => {
  const read = readTarget(target);
  return 'code' in read ? `${read.code}: ${read.message}` : `taken as ${read.path}`;
};
const pathOf = (target: string): string => {
  const read = readTarget(target);
  return 'code' in read ? read.message : read.path;
};

describe('a request target', () => {
  it.each([
    '//admin',
    '/v1//models',
    '/v1/./models',
    '/v1/../admin',
    '/..',
    '/.',
    '/v1/%2e%2e/admin',
    '/v1/.%2E/admin',
    '/%2e',
    '/v1/models;a=b',
    '/v1/models%3Ba=b',
    '/v1\\admin',
    '/v1%5cadmin',
    '/v1%2Fadmin',
    '/v1%2fadmin',
    '/v1/a%00',
    '/v1/a%0d%0aX:1',
    '/v1/a%7f',
    '/v1/%2561dmin',
    '/v1/%c0%ae%c0%ae/admin',
    '/v1/%ff',
    '/v1/%zz',
    '/v1/%4',
    '/v1?a=%4',
    '/v1#top',
    '/v1?a#top',
    '/v1/a b',
    '/v1/é',
    '/v1?q=é',
    '/v1\t',
    'http://elsewhere.example/v1',
    'https://elsewhere.example/v1',
    'elsewhere.example:443',
    '*',
    '',
    'v1/models',
    '?a=b',
    '/v1?access_token=abc',
    '/v1?a=b&ACCESS_TOKEN=abc',
    '/v1?acc%65ss_token=abc',
    '/v1?access_token',
  ])('%j is refused as `protocol`', (target) => {
    expect(refused(target)).toMatch(/^protocol: /);
  });

  it.each([
    ['/v1/chat/completions', '/v1/chat/completions'],
    ['/', '/'],
    ['/v1/', '/v1/'],
    ['/%41dmin', '/Admin'],
    ['/%7euser/%2Dx%5F%2d', '/~user/-x_-'],
    ['/a%c3%a9', '/a%C3%A9'],
    ['/a%20b', '/a%20b'],
    ['/users/a%40b.example', '/users/a%40b.example'],
    ['/a.b/..c/d..', '/a.b/..c/d..'],
    ['/100%25', '/100%25'],
    ['/users:delete', '/users:delete'],
    ['/Admin', '/Admin'],
  ])('%j is the path %j', (target, path) => {
    expect(pathOf(target)).toBe(path);
  });

  it.each([
    ['/@corp%2flib', '/@corp%2Flib'],
    ['/api/queues/%2F/jobs', '/api/queues/%2F/jobs'],
    ['/projects/group%2Fproject/files/a%2Fb.txt', '/projects/group%2Fproject/files/a%2Fb.txt'],
    ['/a%2F', '/a%2F'],
    ['/a%2F.b', '/a%2F.b'],
  ])('%j is the path %j where encoded slashes are taken', (target, path) => {
    expect(readTarget(target, { slashes: true })).toEqual({ path, query: '' });
  });

  it.each([
    '/a%2F..',
    '/a%2f..%2fadmin',
    '/a%2F%2e%2e/admin',
    '/%2F.',
    '/..%2fadmin',
    '/a%2f.%2fb',
    '/a%252fb',
    '/a%5cb',
  ])('%j is refused where encoded slashes are taken, too', (target) => {
    expect(readTarget(target, { slashes: true })).toMatchObject({ code: 'protocol' });
  });

  it('keeps its query as it was sent, also with slashes, dots, semicolons and encoded signs', () => {
    const target = readTarget('/v1/x?a=//../;b=%2F%2e&c=1?2');
    expect(target).toEqual({ path: '/v1/x', query: 'a=//../;b=%2F%2e&c=1?2' });
  });

  it('is taken or refused, never thrown at, and what is taken is taken again as it is', () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom(...'/.%2eEfF5cC;\\?#&=aA40 é') }), (rest) => {
        const read = readTarget(`/${rest}`);
        if ('code' in read) return;
        expect(readTarget(`${read.path}${read.query === '' ? '' : `?${read.query}`}`)).toEqual({
          path: read.path,
          query: read.query,
        });
        expect(read.path).not.toMatch(/\/\/|\/\.{1,2}(?:\/|$)|[;\\#]/);
      }),
      { numRuns: 2_000 },
    );
  });

  it('has one path for every spelling of unreserved characters', () => {
    fc.assert(
      fc.property(fc.stringMatching(/^[A-Za-z0-9_~-]{1,20}$/), fc.infiniteStream(fc.boolean()), (segment, encode) => {
        const spelled = Array.from(segment, (sign) =>
          encode.next().value === true ? `%${sign.charCodeAt(0).toString(16)}` : sign,
        ).join('');
        expect(pathOf(`/${spelled}`)).toBe(`/${segment}`);
      }),
    );
  });
});

describe('the path that rules see', () => {
  it.each([
    ['/users%3Adelete', '/users:delete'],
    ['/users/a%40b.example', '/users/a@b.example'],
    ['/a%7Bb%7D', '/a{b}'],
    ['/a%2Bb', '/a+b'],
    ['/a%20b%3Fc%23d%25', '/a%20b%3Fc%23d%25'],
    ['/a%C3%A9', '/a%C3%A9'],
    ['/a%2Fb', '/a%2Fb'],
  ])('of %j is %j', (path, judged) => {
    expect(judgedPath(path)).toBe(judged);
  });
});

describe('a query', () => {
  it('is names and values in order, decoded, `+` a space', () => {
    expect(queryPairs('a=1&b=x+y%26z&a=2&c&=d&&e==f')).toEqual([
      ['a', '1'],
      ['b', 'x y&z'],
      ['a', '2'],
      ['c', ''],
      ['', 'd'],
      ['e', '=f'],
    ]);
  });

  it('reads as the platform reads it', () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom(...'ab&=+%20C3a9ff; ') }), (query) => {
        expect(queryPairs(query)).toEqual([...new URLSearchParams(query.replace(/^\?/, ''))]);
      }),
      { numRuns: 1_000 },
    );
  });
});

import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { load, resource } from './config-fixtures.js';

const connection = (type: string, ...lines: readonly string[]): string =>
  resource('Connection', 'c', [`  type: ${type}`, ...lines, ''].join('\n'));
const URL = '  url: https://api.example.com';
const ACCESS = '  access: { groups: [eng] }';

async function read(text: string, env: Record<string, string> = {}) {
  const { faults, resources, dir } = await load({ 'f.yaml': text }, env);
  return { faults, connection: resources?.connections[0], dir };
}

describe('a connection over HTTP', () => {
  it('of type http needs an address and who may use it: all else has a default', async () => {
    const { faults, connection: found } = await read(connection('http', '  url: https://crm.example.com/api/', ACCESS));
    expect(faults).toEqual([]);
    expect(found).toEqual({
      name: 'c',
      labels: {},
      type: 'http',
      url: 'https://crm.example.com/api',
      access: { groups: ['eng'] },
      uninspected: 'block',
      issuedKeys: 'allow',
      prices: [],
      credentials: [{ groups: ['*'], name: 'none', headers: {} }],
    });
  });

  it.each([
    ['openai', 'authorization', 'Bearer '],
    ['anthropic', 'x-api-key', undefined],
  ])('of type %s puts its key into %s, with the prefix %s', async (type, header, prefix) => {
    const text = connection(type, URL, ACCESS, '  credentials: [{ groups: [eng], apiKey: { env: MODEL_KEY } }]');
    const { connection: found, faults } = await read(text);
    expect(faults).toEqual([]);
    expect(found?.credentials).toEqual([
      {
        groups: ['eng'],
        name: 'MODEL_KEY',
        headers: { [header]: { env: 'MODEL_KEY', ...(prefix === undefined ? {} : { prefix }) } },
      },
    ]);
  });

  it('reads headers with prefixes, names, files, prices and an authority of its own', async () => {
    const {
      connection: found,
      dir,
      faults,
    } = await read(
      connection(
        'openai',
        '  url: "${UP}"',
        '  ca: ./up.pem',
        '  uninspected: allow',
        ACCESS,
        '  prices:',
        "    - { model: 'gpt-4o*', inputPerMillion: 2.5, outputPerMillion: 10 }",
        '    - { model: free, inputPerMillion: 0, outputPerMillion: 0 }',
        "    - { model: 'c*', inputPerMillion: 3, outputPerMillion: 15, cachedInputPerMillion: 0.3, cacheWritePerMillion: 3.75 }",
        '  credentials:',
        "    - { groups: [ops], name: ops key, headers: { Api-Key: { file: keys/ops }, X-Org: { env: ORG, prefix: 'org ' } } }",
        '    - { headers: { authorization: { env: TOKEN, prefix: "Basic " } } }',
      ),
      { UP: 'http://127.0.0.1:9000' },
    );
    expect(faults).toEqual([]);
    expect(found).toMatchObject({
      url: 'http://127.0.0.1:9000',
      ca: join(dir, 'up.pem'),
      uninspected: 'allow',
      issuedKeys: 'block',
      prices: [
        { model: 'gpt-4o*', inputPerMillion: 2.5, outputPerMillion: 10 },
        { model: 'free', inputPerMillion: 0, outputPerMillion: 0 },
        {
          model: 'c*',
          inputPerMillion: 3,
          outputPerMillion: 15,
          cachedInputPerMillion: 0.3,
          cacheWritePerMillion: 3.75,
        },
      ],
      credentials: [
        {
          groups: ['ops'],
          name: 'ops key',
          headers: { 'api-key': { file: join(dir, 'keys/ops') }, 'x-org': { env: 'ORG', prefix: 'org ' } },
        },
        { groups: ['*'], name: 'TOKEN', headers: { authorization: { env: 'TOKEN', prefix: 'Basic ' } } },
      ],
    });
  });

  it.each<[string, string, string[]]>([
    ['a misspelt type', connection('opneai', URL, ACCESS), ['5:9: unknown connection type; did you mean `openai`?']],
    ['a type of later', connection('mcp', URL, ACCESS), ['5:9: connection type `mcp` is not in this version']],
    [
      'no type',
      resource('Connection', 'c', `${URL}\n${ACCESS}\n`),
      ['5:3: `spec.type`: is missing: one of postgres, http, openai, anthropic'],
    ],
    [
      'a type that is a number',
      connection('5', URL, ACCESS),
      ['5:9: `spec.type`: expected one of postgres, http, openai, anthropic'],
    ],
    ['no address', connection('openai', ACCESS), ['5:3: `spec.url`: is missing']],
    ['nobody who may use it', connection('http', URL), ['5:3: `spec.access`: is missing']],
    [
      'a misspelt key',
      connection('http', URL, ACCESS, '  uninspectd: allow'),
      ['8:3: unknown key `uninspectd`; did you mean `uninspected`?'],
    ],
    [
      'a key of a database',
      connection('openai', URL, ACCESS, '  database: shop'),
      ['8:3: unknown key `database` here; it belongs to type `postgres`'],
    ],
    [
      'a key of models for http',
      connection('http', URL, ACCESS, '  prices: []', '  credentials: [{ apiKey: { env: K } }]'),
      [
        '8:3: unknown key `prices` here; it belongs to type `openai`, `anthropic`',
        '9:19: unknown key `apiKey` here; it belongs to type `openai`, `anthropic`',
      ],
    ],
    [
      'a key of HTTP for a database',
      connection('postgres', '  address: db', '  database: d', '  credentials: [{ username: a }]', ACCESS, URL),
      ['10:3: unknown key `url` here; it belongs to type `http`, `openai`, `anthropic`'],
    ],
    [
      'a credential of a database',
      connection('http', URL, ACCESS, '  credentials: [{ username: a }]'),
      ['8:19: unknown key `username` here; it belongs to type `postgres`'],
    ],
    [
      'an address with a user',
      connection('http', '  url: https://a:b@api.example.com', ACCESS),
      ['6:8: `spec.url`: expected an address such as https://api.example.com, without user, query or fragment'],
    ],
    [
      'an address with an empty query',
      connection('http', '  url: https://api.example.com/?', ACCESS),
      ['6:8: `spec.url`: expected an address such as https://api.example.com, without user, query or fragment'],
    ],
    [
      'an address of another scheme',
      connection('http', '  url: file:///etc/passwd', ACCESS),
      ['6:8: `spec.url`: expected an address such as https://api.example.com, without user, query or fragment'],
    ],
    [
      'a key in clear',
      connection('openai', URL, ACCESS, '  credentials: [{ apiKey: sk-abc }]'),
      ['8:27: `spec.credentials[0].apiKey`: expected a map'],
    ],
    [
      'a key of the later store',
      connection('openai', URL, ACCESS, '  credentials: [{ apiKey: { vault: "a#k" } }]'),
      ['8:29: `spec.credentials[0].apiKey.vault`: `vault` is not in this version'],
    ],
    [
      'a header in clear',
      connection('http', URL, ACCESS, '  credentials: [{ headers: { authorization: Bearer x } }]'),
      ['8:45: `spec.credentials[0].headers.authorization`: expected a map'],
    ],
    [
      'a header from nowhere',
      connection('http', URL, ACCESS, "  credentials: [{ headers: { authorization: { prefix: 'Bearer ' } } }]"),
      ['8:45: `spec.credentials[0].headers.authorization`: expected exactly one of `secret`, `env` and `file`'],
    ],
    [
      'a prefix with a line end',
      connection('http', URL, ACCESS, '  credentials: [{ headers: { a: { env: K, prefix: "x\\r\\ny" } } }]'),
      ['8:51: `spec.credentials[0].headers.a.prefix`: expected at most 100 visible characters'],
    ],
    [
      'a misspelt key of a reference',
      connection('http', URL, ACCESS, '  credentials: [{ headers: { a: { env: K, prefx: x } } }]'),
      ['8:43: unknown key `prefx`; did you mean `prefix`?'],
    ],
    [
      'a header that is none',
      connection('http', URL, ACCESS, '  credentials: [{ headers: { "a b": { env: K } } }]'),
      ['8:30: `spec.credentials[0].headers.a b`: expected the name of a header'],
    ],
    [
      'a header of the transport',
      connection('http', URL, ACCESS, '  credentials: [{ headers: { Host: { env: K } } }]'),
      ['8:30: `spec.credentials[0].headers.Host`: this header belongs to the transport'],
    ],
    [
      'a header twice, in different case',
      connection('http', URL, ACCESS, '  credentials: [{ headers: { X-Key: { env: K }, x-key: { env: L } } }]'),
      ['8:49: `spec.credentials[0].headers.x-key`: this header stands twice'],
    ],
    [
      'a key that `headers` give too',
      connection(
        'openai',
        URL,
        ACCESS,
        '  credentials: [{ apiKey: { env: K }, headers: { Authorization: { env: L } } }]',
      ),
      ['8:19: `spec.credentials[0].apiKey`: `headers` hold `authorization` too'],
    ],
    [
      'an empty list of credentials',
      connection('openai', URL, ACCESS, '  credentials: []'),
      [
        '8:16: `spec.credentials`: expected at least one credential; leave the key out for an upstream that asks for none',
      ],
    ],
    [
      'a price below 0',
      connection('openai', URL, ACCESS, '  prices: [{ model: a, inputPerMillion: -1, outputPerMillion: 1 }]'),
      ['8:41: `spec.prices[0].inputPerMillion`: expected US dollars for a million tokens'],
    ],
    [
      'a price without a model',
      connection('openai', URL, ACCESS, '  prices: [{ inputPerMillion: 1, outputPerMillion: 1 }]'),
      ['8:12: `spec.prices[0].model`: is missing'],
    ],
    [
      'another word for uninspected',
      connection('http', URL, ACCESS, '  uninspected: pass'),
      ['8:16: `spec.uninspected`: expected one of block, allow'],
    ],
    [
      'a dangling approval',
      connection('http', URL, '  access: { groups: [a], approval: nobody }'),
      ['7:36: there is no ApprovalFlow `nobody`'],
    ],
  ])('with %s is refused with its place', async (_what, text, expected) => {
    expect((await read(text)).faults).toEqual(expected.map((fault) => `f.yaml:${fault}`));
  });

  it('never shows what came from the environment', async () => {
    const { faults } = await read(
      connection('openai', '  url: "${S}"', ACCESS, '  uninspected: "${S}"', '  credentials: [{ apiKey: "${S}" }]'),
      { S: 'sk-hunter2' },
    );
    expect(faults).toHaveLength(3);
    expect(faults.join()).not.toContain('hunter2');
  });
});

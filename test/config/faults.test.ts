import { describe, expect, it } from 'vitest';
import { load, resource } from './config-fixtures.js';

async function faultsOf(text: string | Uint8Array, env: Record<string, string> = {}): Promise<readonly string[]> {
  return (await load({ 'f.yaml': text }, env)).faults;
}

const agent = (spec: string): string => resource('Agent', 'local', `  masterKey: { env: K }\n${spec}`);
const provider = (spec: string): string => resource('IdentityProvider', 'corp', `  audience: hoop\n${spec}`);
const policy = (spec: string): string => resource('Policy', 'p', spec);
const flow = (spec: string): string => resource('ApprovalFlow', 'f', `  reviewers: [{ groups: [dba] }]\n${spec}`);
const entity = (spec: string): string => resource('Entity', 'order', spec);
const connection = (changes: Record<string, string>): string =>
  resource(
    'Connection',
    'pg',
    Object.entries({
      type: 'postgres',
      address: 'db:5432',
      database: 'shop',
      credentials: '[{ username: app }]',
      access: '{ groups: [eng] }',
      ...changes,
    })
      .map(([key, value]) => `  ${key}: ${value}\n`)
      .join(''),
  );

describe('a fault in a resource file', () => {
  it.each<[string, string, string[]]>([
    [
      'a misspelt top-level key',
      agent('').replace('metadata', 'metdata'),
      ['3:1: unknown key `metdata`; did you mean `metadata`?', '1:1: `metadata`: is missing'],
    ],
    ['a wrong version', agent('').replace('hoop/v1', 'hoop/v2'), ['1:13: `apiVersion`: expected hoop/v1']],
    ['a misspelt kind', resource('Polcy', 'p', '  rules: []\n'), ['2:7: unknown kind; did you mean `Policy`?']],
    ['a misspelt `kind`', agent('').replace('kind', 'kidn'), ['2:1: unknown key `kidn`; did you mean `kind`?']],
    [
      'no kind',
      'apiVersion: hoop/v1\n',
      [
        '1:1: `kind` is missing: one of Agent, IdentityProvider, Connection, Policy, ApprovalFlow, Entity, Sink, PolicyTest',
      ],
    ],
    [
      'a document that is no map',
      '- a\n',
      ['1:1: expected a resource: a map with apiVersion, kind, metadata and spec'],
    ],
    [
      'a name with a space',
      resource('Policy', '"a b"', '  rules: []\n'),
      [
        '3:19: `metadata.name`: expected a name: letters, digits, `.`, `_`, `-`, at most 63, starting with a letter or digit',
      ],
    ],
    [
      'labels where none are read',
      resource('Policy', 'p, labels: {}', '  rules: []\n'),
      ['3:22: unknown key `labels`'],
    ],
    ['a misspelt spec key', agent('  listn: {}\n'), ['6:3: unknown key `listn`; did you mean `listen`?']],
    ['a misspelt nested key', agent('  listen: { prot: 1 }\n'), ['6:13: unknown key `prot`; did you mean `port`?']],
    [
      'a port that is a word',
      agent('  listen: { port: http }\n'),
      ['6:19: `spec.listen.port`: expected a whole number from 0 to 65535'],
    ],
    [
      'a port over 65535',
      agent('  listen: { port: 70000 }\n'),
      ['6:19: `spec.listen.port`: expected a whole number from 0 to 65535'],
    ],
    [
      'no tls beyond loopback',
      agent('  listen: { host: 0.0.0.0 }\n'),
      ['6:19: `spec.listen.host`: `tls` may be left out on loopback only'],
    ],
    [
      'a name that only looks like loopback',
      agent('  listen: { host: 127.0.0.1.evil.example }\n'),
      ['6:19: `spec.listen.host`: `tls` may be left out on loopback only'],
    ],
    [
      'a trusted proxy that is no network, one that is everybody, and one with too many bits',
      agent('  listen: { trustedProxies: [proxy.corp, 0.0.0.0/0, 10.0.0.0/33, "::/0"] }\n'),
      [
        '6:30: `spec.listen.trustedProxies[0]`: expected an address or a network as in 10.0.0.0/8',
        '6:42: `spec.listen.trustedProxies[1]`: a network of all addresses would trust everybody',
        '6:53: `spec.listen.trustedProxies[2]`: expected an address or a network as in 10.0.0.0/8',
        '6:66: `spec.listen.trustedProxies[3]`: a network of all addresses would trust everybody',
      ],
    ],
    [
      'the postgres store',
      agent('  store: { driver: postgres }\n'),
      ['6:20: `spec.store.driver`: store driver postgres is not in this version'],
    ],
    [
      'a duration without unit',
      agent('  recordings: { retention: 90 }\n'),
      ['6:28: `spec.recordings.retention`: expected text'],
    ],
    [
      'a duration with a wrong unit',
      agent('  recordings: { retention: 90y }\n'),
      ['6:28: `spec.recordings.retention`: expected a duration such as 500ms, 30s, 5m, 2h or 90d'],
    ],
    [
      'a duration of nothing',
      flow('  wait: 0s\n'),
      ['6:9: `spec.wait`: expected a duration such as 500ms, 30s, 5m, 2h or 90d'],
    ],
    [
      'a size with a wrong unit',
      agent('  limits: { rowBytes: 5MB }\n'),
      ['6:23: `spec.limits.rowBytes`: expected a size such as 512KiB, 8MiB or 1GiB'],
    ],
    [
      'a master key from two places',
      resource('Agent', 'a', '  masterKey: { env: K, file: k }\n'),
      ['5:14: `spec.masterKey`: expected exactly one of `env`, `file` and `command`'],
    ],
    [
      'a master key from a vault',
      resource('Agent', 'a', '  masterKey: { vault: k }\n'),
      ['5:16: `spec.masterKey.vault`: `vault` is not in this version'],
    ],
    [
      'a plain-http issuer elsewhere',
      provider('  issuer: http://id.example.com\n'),
      ['6:11: `spec.issuer`: plain http is possible on loopback only'],
    ],
    [
      'an issuer that is no URL',
      provider('  issuer: id.example.com\n'),
      ['6:11: `spec.issuer`: expected a URL such as https://id.example.com, without user, query or fragment'],
    ],
    ['no issuer', provider(''), ['5:3: `spec.issuer`: is missing']],
    [
      'a flag that is a word',
      provider('  issuer: https://a.example\n  reviewers: yes\n'),
      ['7:14: `spec.reviewers`: expected true or false'],
    ],
    [
      'a connection type of later',
      connection({ type: 'mysql' }),
      ['5:9: connection type `mysql` is not in this version'],
    ],
    [
      'a connection type of nowhere',
      connection({ type: 'postgress' }),
      ['5:9: unknown connection type; did you mean `postgres`?'],
    ],
    [
      'an address without brackets',
      connection({ address: "'::1:5432'" }),
      ['6:12: `spec.address`: expected host:port, an IPv6 address in brackets'],
    ],
    [
      'an address with port 0',
      connection({ address: 'db:0' }),
      ['6:12: `spec.address`: expected host:port, an IPv6 address in brackets'],
    ],
    [
      'no credential',
      connection({ credentials: '[]' }),
      ['8:16: `spec.credentials`: expected at least one credential'],
    ],
    [
      'a password in clear',
      connection({ credentials: '[{ username: a, password: hunter2 }]' }),
      ['8:42: `spec.credentials[0].password`: expected a map'],
    ],
    [
      'a password of a later store',
      connection({ credentials: '[{ username: a, password: { vault: "a#b" } }]' }),
      ['8:44: `spec.credentials[0].password.vault`: `vault` is not in this version'],
    ],
    [
      'the rotation of a password that the agent does not keep',
      connection({ credentials: '[{ username: a, password: { env: P }, rotation: { every: 30d } }]' }),
      [
        '8:54: `spec.credentials[0].rotation`: only a password of the secret store can be changed: `password: { secret: NAME }`',
      ],
    ],
    [
      'an empty list of groups',
      connection({ access: '{ groups: [] }' }),
      ['9:21: `spec.access.groups`: expected at least one group; `*` means everyone'],
    ],
    [
      'a dangling approval of a connection',
      connection({ access: '{ groups: [a], approval: dba }' }),
      ['9:36: there is no ApprovalFlow `dba`'],
    ],
    [
      'a misspelt key of a flow',
      flow('  breakglass: { groups: [oncall] }\n'),
      ['6:3: unknown key `breakglass`; did you mean `breakGlass`?'],
    ],
    [
      'a condition over something else',
      flow('  condition: \'reviewer.group == "dba"\'\n'),
      ['6:14: `spec.condition`: unknown fact `group`; did you mean `groups`?'],
    ],
    [
      'a condition that names a rule’s facts',
      resource('ApprovalFlow', 'f', "  reviewers: [{ groups: [a], condition: 'user.machine' }]\n"),
      ['5:41: `spec.reviewers[0].condition`: unknown fact `user`'],
    ],
    [
      'a schedule of no day, no hours and no time zone',
      flow('  schedule: { days: [monday], hours: "9-18", timezone: Berlin }\n'),
      [
        '6:22: `spec.schedule.days[0]`: expected a day (sun, mon, tue, wed, thu, fri, sat) or a span such as mon-fri',
        '6:38: `spec.schedule.hours`: expected hours such as 09:00-18:00; 22:00-06:00 is over midnight',
        '6:56: `spec.schedule.timezone`: expected the IANA name of a time zone, such as Europe/Berlin',
      ],
    ],
    [
      'a ticket pattern with look-ahead',
      flow("  ticket: 'OPS(?=-)'\n"),
      ['6:11: `spec.ticket`: expected a pattern in RE2 syntax, such as `OPS-[0-9]+`'],
    ],
    [
      'a count of 0',
      resource('ApprovalFlow', 'f', '  reviewers: [{ groups: [a], count: 0 }]\n'),
      ['5:37: `spec.reviewers[0].count`: expected a whole number from 1 to 100'],
    ],
    [
      'a pattern with look-ahead',
      entity("  pattern: 'a(?=b)'\n"),
      ['5:12: `spec.pattern`: expected a pattern in RE2 syntax (no look-around, no back references) of bounded size'],
    ],
    [
      'a pattern that meets nothing at all',
      entity("  pattern: 'a*'\n"),
      ['5:12: `spec.pattern`: this pattern meets the empty text, so it would meet everywhere'],
    ],
    [
      'examples that do not hold',
      entity("  pattern: 'a+'\n  examples: { match: [aa, bb], noMatch: [cab] }\n"),
      [
        '6:27: `spec.examples.match[1]`: the pattern does not meet this example',
        '6:42: `spec.examples.noMatch[0]`: the pattern meets this example',
      ],
    ],
    [
      'the name of a built-in entity',
      resource('Entity', 'email', "  pattern: 'a+'\n"),
      ['3:19: `email` is the name of a built-in entity'],
    ],
  ])('%s is refused with its place', async (_what, text, expected) => {
    expect([...(await faultsOf(text))].sort()).toEqual(expected.map((fault) => `f.yaml:${fault}`).sort());
  });

  it.each<[string, string, string[]]>([
    [
      'a misspelt rule key',
      '  rules: [{ name: a, wen: "true", action: block }]\n',
      ['5:11: `spec.rules[0].when`: is missing', '5:22: unknown key `wen`; did you mean `when`?'],
    ],
    [
      'a wrong action',
      '  rules: [{ name: a, when: "true", action: blok }]\n',
      ['5:44: `spec.rules[0].action`: expected one of block, approve, warn, allow'],
    ],
    [
      'approve without a flow',
      '  rules: [{ name: a, when: "true", action: approve }]\n',
      ['5:11: `spec.rules[0]`: a rule with action approve needs `approval`, the name of an ApprovalFlow'],
    ],
    [
      'a flow without approve',
      '  rules: [{ name: a, when: "true", action: block, approval: f }]\n',
      ['5:61: `spec.rules[0].approval`: `approval` belongs to action approve alone'],
    ],
    [
      'a dangling flow',
      '  rules: [{ name: a, when: "true", action: approve, approval: dba }]\n',
      ['5:63: there is no ApprovalFlow `dba`'],
    ],
    [
      'a reserved rule name',
      '  rules: [{ name: opaque, when: "true", action: block }]\n',
      ['5:19: `spec.rules[0].name`: this name is reserved for what no written rule decides'],
    ],
    [
      'a rule name used twice',
      '  rules:\n    - { name: a, when: "true", action: block }\n    - { name: a, when: "true", action: block }\n',
      ['7:15: p/a: `a` is named twice in this policy'],
    ],
    [
      'an unknown fact, plain',
      '  rules: [{ name: a, when: sql.txt == "x", action: block }]\n',
      ['5:32: p/a: unknown fact `txt`; did you mean `text`?'],
    ],
    [
      'an unknown fact, quoted',
      `  rules: [{ name: a, when: 'sql.text == "x" && sql.txt == "x"', action: block }]\n`,
      ['5:52: p/a: unknown fact `txt`; did you mean `text`?'],
    ],
    [
      'an unknown fact in a folded block',
      '  rules:\n    - name: a\n      when: >- # sql.effets\n        sql.effects.size() > 0\n        || sql.effets.size() > 1\n      action: block\n',
      ['9:16: p/a: unknown fact `effets`; did you mean `effects`?'],
    ],
    [
      'an effect that there is not',
      `  rules: [{ name: a, when: 'sql.effects.exists(e, e in ["drop", "truncat"])', action: block }]\n`,
      ['5:65: p/a: unknown effect `truncat`; did you mean `truncate`?'],
    ],
    [
      'an effect that there is not, by itself',
      `  rules: [{ name: a, when: '!("dorp" in sql.effects)', action: block }]\n`,
      ['5:31: p/a: unknown effect `dorp`; did you mean `drop`?'],
    ],
    [
      'a function that there is not',
      `  rules: [{ name: a, when: 'sql.text.match("x")', action: block }]\n`,
      ['5:28: p/a: unknown function `match`; did you mean `matches`?'],
    ],
    [
      'a kind that there is not',
      `  rules: [{ name: a, when: 'sql.kind == "udpate"', action: block }]\n`,
      ['5:41: p/a: unknown kind of statement `udpate`; did you mean `update`?'],
    ],
    [
      'a condition that is no condition',
      '  rules: [{ name: a, when: sql.text, action: block }]\n',
      ['5:28: p/a: a condition must be true or false, this one is string'],
    ],
    [
      'a condition that does not parse',
      '  rules: [{ name: a, when: "sql.text ==", action: block }]\n',
      ['5:28: p/a: unexpected token: EOF'],
    ],
    [
      'an unknown entity',
      '  mask: [{ name: m, entities: [email, credit-crad], strategy: partial }]\n',
      ['5:39: there is no entity `credit-crad`; did you mean `credit-card`?'],
    ],
    [
      'a column without a table',
      "  mask: [{ name: m, columns: ['*.a', password], strategy: redact }]\n",
      ['5:38: `spec.mask[0].columns[1]`: expected `[schema.]table.column`, where `*` stands for one whole part'],
    ],
    [
      'a mask of nothing',
      '  mask: [{ name: m, strategy: redact }]\n',
      ['5:10: `spec.mask[0]`: a mask needs `entities`, `columns` or `paths`'],
    ],
    [
      'replace without text',
      '  mask: [{ name: m, entities: [email], strategy: replace }]\n',
      ['5:10: `spec.mask[0]`: strategy replace needs `with`, the text to put there'],
    ],
    [
      'text without replace',
      '  mask: [{ name: m, entities: [email], strategy: hash, with: x }]\n',
      ['5:62: `spec.mask[0].with`: `with` belongs to strategy replace alone'],
    ],
    [
      'a path without its root',
      "  mask: [{ name: m, paths: ['$.a', customer.ssn], strategy: redact }]\n",
      [
        '5:36: `spec.mask[0].paths[1]`: expected a path such as `$.customer.ssn`, `$.items[*].email` or `$..password`, of at most 30 steps',
      ],
    ],
    [
      'a path with a filter',
      "  mask: [{ name: m, paths: ['$.a[?(@.b)]'], strategy: redact }]\n",
      [
        '5:29: `spec.mask[0].paths[0]`: expected a path such as `$.customer.ssn`, `$.items[*].email` or `$..password`, of at most 30 steps',
      ],
    ],
    [
      'a limit of nothing',
      '  limits: [{ name: l, per: user }]\n',
      ['5:12: `spec.limits[0]`: a limit needs `requests`, `tokens` or `spend`'],
    ],
    [
      'a limit of 0 requests',
      '  limits: [{ name: l, requests: { perMinute: 0 } }]\n',
      ['5:46: `spec.limits[0].requests.perMinute`: expected a whole number of at least 1'],
    ],
    [
      'a limit of half a token',
      '  limits: [{ name: l, tokens: { perDay: 0.5 } }]\n',
      ['5:41: `spec.limits[0].tokens.perDay`: expected a whole number of at least 1'],
    ],
    [
      'a limit of negative spending',
      '  limits: [{ name: l, spend: { perMonth: -1 } }]\n',
      ['5:42: `spec.limits[0].spend.perMonth`: expected an amount of US dollars above 0'],
    ],
    [
      'an amount of no span',
      '  limits: [{ name: l, requests: {} }]\n',
      ['5:33: `spec.limits[0].requests`: expected `perMinute`, `perDay` or `perMonth`'],
    ],
    [
      'a misspelt span',
      '  limits: [{ name: l, requests: { perMinuet: 1, perDay: 1 } }]\n',
      ['5:35: unknown key `perMinuet`; did you mean `perMinute`?'],
    ],
    [
      'a misspelt key of a limit',
      '  limits: [{ name: l, request: { perDay: 1 }, tokens: { perDay: 1 } }]\n',
      ['5:23: unknown key `request`; did you mean `requests`?'],
    ],
    [
      'a limit per person',
      '  limits: [{ name: l, per: person, requests: { perDay: 1 } }]\n',
      ['5:28: `spec.limits[0].per`: expected one of user, group, model, connection'],
    ],
    [
      'a limit of a name taken twice',
      '  limits:\n    - { name: l, requests: { perDay: 1 } }\n    - { name: l, requests: { perDay: 2 } }\n',
      ['7:15: p/l: `l` is named twice in this policy'],
    ],
    [
      'a limit that could never count',
      '  match: { types: [postgres, mysql] }\n  limits: [{ name: l, requests: { perDay: 1 } }]\n',
      [
        '6:3: `spec.limits`: limits count requests of the types http, openai, anthropic, and `match.types` has none of them',
      ],
    ],
    [
      'a test of a prompt with no such rule',
      '  tests: [{ prompt: a, expect: block, rule: nope }]\n',
      ['5:45: there is no rule `nope`'],
    ],
    [
      'a misspelt key of a test of a prompt',
      '  tests: [{ prompt: a, expect: block, modle: a }]\n',
      ['5:39: unknown key `modle`; did you mean `model`?'],
    ],
    [
      'a test of a request without a path',
      '  tests: [{ request: { method: GET }, expect: allow }]\n',
      ['5:22: `spec.tests[0].request.path`: is missing'],
    ],
    ['a test of no rule', '  tests: [{ sql: a, expect: block, rule: nope }]\n', ['5:42: there is no rule `nope`']],
    [
      'a misspelt key of a test',
      '  tests: [{ sql: a, expect: block, ruel: a }]\n',
      ['5:36: unknown key `ruel`; did you mean `rule`?'],
    ],
    ['a misspelt mode', '  mode: observ\n', ['5:9: `spec.mode`: expected one of enforce, observe']],
    [
      'a type of nowhere in match',
      '  match: { types: [pg] }\n',
      [
        '5:20: `spec.match.types[0]`: expected one of postgres, mysql, http, openai, anthropic, mcp, ssh, kubernetes, tcp',
      ],
    ],
  ])('%s in a policy is refused with its place', async (_what, spec, expected) => {
    expect(await faultsOf(policy(spec))).toEqual(expected.map((fault) => `f.yaml:${fault}`));
  });

  it.each<[string, string | Uint8Array, string]>([
    ['a key that stands twice', 'kind: Policy\nkind: Agent\n', '2:1: this key stands twice in its map'],
    ['a tag', 'kind: !!js/function "x"\n', '1:7: tags are not read here'],
    ['a tag that YAML knows', 'kind: !!str Agent\n', '1:13: tags are not read here'],
    ['a custom tag', 'kind: !include a.yaml\n', '1:7: tags are not read here'],
    ['a map as a key', '? { a: 1 }\n: 2\n', '1:3: expected a plain key'],
    ['a key called __proto__', 'kind: Policy\n__proto__: { a: 1 }\n', '2:1: this key is not possible'],
    ['YAML 1.1', '%YAML 1.1\n---\nkind: Policy\n', '1:1: only YAML 1.2 is read'],
    [
      'a brace that is not closed',
      'kind: Policy\nspec: { a: 1\n',
      '3:1: not valid YAML: flow map in block collection must be sufficiently indented and end with a }',
    ],
    [
      'a variable in braces without quotes',
      'kind: Policy\nmetadata: { name: ${NAME} }\n',
      '2:20: not valid YAML: unexpected flow-map-start at node end; inside braces or brackets `${…}` needs quotes',
    ],
    [
      'a variable that is not set',
      'kind: Policy\nmetadata: { name: "${NAME}" }\n',
      '2:19: the environment variable `NAME` is not set',
    ],
    [
      'a variable named like an inherited property',
      'kind: "${constructor}"\n',
      '1:7: the environment variable `constructor` is not set',
    ],
    [
      'a variable without an end',
      'kind: "a ${NAME"\n',
      '1:7: expected the name of an environment variable in `${…}`; write `$${` for a literal `${`',
    ],
    ['bytes that are not UTF-8', new Uint8Array([0x61, 0x3a, 0x20, 0xff]), '1:1: the file is not UTF-8'],
    [
      'an alias to what holds it',
      'a: &a { b: *a }\n',
      '1:12: more than 50000 values, 50 levels or 500 aliases followed',
    ],
  ])('%s is refused', async (_what, text, expected) => {
    expect((await faultsOf(text))[0]).toBe(`f.yaml:${expected}`);
  });

  it('nine levels of nine aliases each are refused within a second', async () => {
    const levels = Array.from(
      { length: 9 },
      (_, level) =>
        `l${String(level + 1)}: &l${String(level + 1)} [${Array(9)
          .fill(`*l${String(level)}`)
          .join(', ')}]`,
    );
    const faults = await faultsOf(`l0: &l0 [x, x, x]\n${levels.join('\n')}\n`);
    expect(faults).toHaveLength(1);
    expect(faults[0]).toMatch(/^f\.yaml:\d+:\d+: more than 50000 values, 50 levels or 500 aliases followed$/);
  }, 1_000);

  it('names taken twice are reported at the second, with the place of the first', async () => {
    const one = policy('  rules: []\n');
    expect((await load({ 'a.yaml': `# a comment\n${one}`, 'b.yaml': one })).faults).toEqual([
      'b.yaml:3:19: Policy `p` stands already at a.yaml:4',
    ]);
  });

  it('in several files are all listed, in order of files and lines', async () => {
    const { faults } = await load({ 'b.yaml': agent('  x: 1\n'), 'a/c.yaml': policy('  mod: enforce\n  mode: on\n') });
    expect(faults).toEqual([
      'a/c.yaml:5:3: unknown key `mod`; did you mean `mode`?',
      'a/c.yaml:6:9: `spec.mode`: expected one of enforce, observe',
      'b.yaml:6:3: unknown key `x`',
    ]);
  });

  it('never shows a value that came from the environment', async () => {
    const secret = 'hunter2-hunter2';
    const text = connection({ type: '"${S}"', address: '"${S}:x"' });
    const faults = await faultsOf(
      `${text}---\n${provider('  issuer: "${S}"\n')}---\n${policy('  mode: "${S}"\n  rules: [{ name: "${S} ", when: "${S}(", action: "${S}" }]\n')}`,
      { S: secret },
    );
    expect(faults.length).toBeGreaterThan(4);
    expect(faults.join('\n')).not.toContain(secret);
  });
});

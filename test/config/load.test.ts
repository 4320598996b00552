import { symlink, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { load, loadFolder, resource } from './config-fixtures.js';
import { makeFolder } from '../support/folders.js';

const AGENT = resource('Agent', 'local', '  masterKey: { file: ./master.key }\n');
const PROVIDER = resource('IdentityProvider', 'corp', '  issuer: https://id.example.com\n  audience: hoop\n');
const CONNECTION = resource(
  'Connection',
  'postgres',
  [
    '  type: postgres',
    '  address: db.internal',
    '  database: shop',
    '  credentials: [{ username: app, password: { env: PG } }]',
    '  access: { groups: [eng] }',
    '',
  ].join('\n'),
);

describe('loadConfig', () => {
  it('fills in every default and makes paths absolute from the file that names them', async () => {
    const { resources, faults, dir } = await load(
      { 'a/agent.yaml': AGENT, 'b.yml': `${PROVIDER}---\n${CONNECTION}` },
      {},
      { requireAgent: true },
    );
    expect(faults).toEqual([]);
    expect(resources?.agent).toEqual({
      name: 'local',
      listen: { host: '127.0.0.1', port: 8443, trustedProxies: [] },
      store: { driver: 'sqlite', path: join(dir, 'a/state/hoop.db') },
      recordings: { dir: join(dir, 'a/recordings'), durability: 'flush' },
      masterKey: { file: join(dir, 'a/master.key') },
      roles: { admin: [], auditor: [] },
      limits: {
        statementBytes: 8_388_608,
        rowBytes: 268_435_456,
        bodyBytes: 16_777_216,
        sessions: 1_000,
        loginsPerMinute: 600,
        sessionBytes: 536_870_912,
      },
    });
    expect(resources?.identityProviders).toEqual([
      {
        name: 'corp',
        issuer: 'https://id.example.com',
        audience: 'hoop',
        login: true,
        scopes: ['openid', 'email', 'offline_access'],
        claims: { email: 'email', groups: 'groups', attributes: [] },
        reviewers: false,
        machine: false,
      },
    ]);
    expect(resources?.connections).toEqual([
      {
        name: 'postgres',
        labels: {},
        type: 'postgres',
        host: 'db.internal',
        port: 5432,
        database: 'shop',
        databases: [],
        tls: { mode: 'verify-full' },
        credentials: [{ groups: ['*'], username: 'app', password: { env: 'PG' } }],
        access: { groups: ['eng'] },
        catalogTtlMs: 5_000,
        replication: false,
      },
    ]);
  });

  it('reads durations, sizes, IPv6 addresses, TLS files, roles and grants', async () => {
    const agent = resource(
      'Agent',
      'local',
      [
        '  listen: { host: 0.0.0.0, port: "${PORT}", tls: { cert: c.crt, key: /etc/c.key }, trustedProxies: [10.0.4.0/24, "::1"] }',
        '  publicUrl: https://agent.example.com',
        '  recordings: { durability: sync, retention: 90d }',
        '  masterKey: { env: KEY }',
        '  roles: { auditor: { groups: [sec] } }',
        '  limits: { statementBytes: 512KiB, rowBytes: 1GiB, bodyBytes: 1000, sessions: 5 }',
        '',
      ].join('\n'),
    );
    const connection = CONNECTION.replace('db.internal', "'[2001:db8::1]:6543'").replace(
      'access: { groups: [eng] }',
      'access: { groups: [eng], approval: f, maxDuration: 1h30m }\n  tls: { mode: verify-ca, ca: ca.pem }',
    );
    const flow = resource(
      'ApprovalFlow',
      'f',
      '  reviewers: [{ groups: [dba], count: 2 }]\n  wait: 500ms\n  grant: { scope: session, ttl: 30s, uses: unlimited }\n  selfApproval: true\n',
    );
    const { resources, faults, dir } = await load(
      { 'x.yaml': [agent, connection, flow].join('---\n') },
      { PORT: '9443' },
    );
    expect(faults).toEqual([]);
    expect(resources?.agent).toMatchObject({
      listen: {
        host: '0.0.0.0',
        port: 9443,
        tls: { cert: join(dir, 'c.crt'), key: '/etc/c.key' },
        trustedProxies: ['10.0.4.0/24', '::1'],
      },
      recordings: { durability: 'sync', retentionMs: 7_776_000_000 },
      masterKey: { env: 'KEY' },
      roles: { admin: [], auditor: ['sec'] },
      limits: {
        statementBytes: 524_288,
        rowBytes: 1_073_741_824,
        bodyBytes: 1_000,
        sessions: 5,
        loginsPerMinute: 600,
        sessionBytes: 2_147_483_648,
      },
    });
    expect(resources?.connections[0]).toMatchObject({
      host: '2001:db8::1',
      port: 6543,
      tls: { mode: 'verify-ca', ca: join(dir, 'ca.pem') },
      access: { groups: ['eng'], approval: 'f', maxDurationMs: 5_400_000 },
    });
    expect(resources?.approvalFlows).toEqual([
      {
        name: 'f',
        reviewers: [{ groups: ['dba'], count: 2 }],
        waitMs: 500,
        expiryMs: 3_600_000,
        grant: { scope: 'session', ttlMs: 30_000, unlimitedUses: true },
        selfApproval: true,
        reasonRequired: false,
        preview: false,
        notify: [],
      },
    ]);
  });

  it('reads all that a flow may ask for', async () => {
    const spec = `  reviewers:
    - { groups: [dba], count: 2, condition: '!(reviewer.email == request.requester.email)' }
    - { groups: [security] }
  condition: 'request.kind == "access" || request.minutes == 0'
  wait: 2m
  expiry: 1d
  schedule: { days: [mon-thu, sun], hours: '09:30-24:00', timezone: Europe/Berlin }
  maxDuration: 8h
  reasonRequired: true
  preview: true
  ticket: '\\b(OPS|SEC)-[0-9]+\\b'
  breakGlass: { groups: [oncall] }
  notify: [security-hook]
`;
    const { resources, faults } = await load({
      'f.yaml': resource('ApprovalFlow', 'f', spec),
      's.yaml': resource('Sink', 'security-hook', '  { type: file, path: ./events.ndjson }\n'),
    });
    expect(faults).toEqual([]);
    const [flow] = resources?.approvalFlows ?? [];
    expect(flow).toMatchObject({
      waitMs: 120_000,
      expiryMs: 86_400_000,
      schedule: { days: [0, 1, 2, 3, 4], fromMinute: 570, toMinute: 1_440, timezone: 'Europe/Berlin' },
      maxDurationMs: 28_800_000,
      reasonRequired: true,
      preview: true,
      breakGlass: { groups: ['oncall'] },
      notify: ['security-hook'],
    });
    expect(flow?.ticket?.test('for OPS-17, urgent')).toBe(true);
    expect(flow?.ticket?.test('OPS- 17')).toBe(false);
    expect(flow?.reviewers.map(({ condition }) => condition?.text)).toEqual([
      '!(reviewer.email == request.requester.email)',
      undefined,
    ]);
  });

  it('expands ${NAME} in values after parsing, keeps $${ literal, and never makes structure of it', async () => {
    const policy = resource(
      'Policy',
      '"${NAME}"',
      '  match: { labels: { env: "${ENV}" } }\n  rules: [{ name: a, when: "true", action: warn, message: "${EMPTY}!" }]\n',
    );
    const { resources, faults } = await load(
      { 'p.yaml': policy },
      { NAME: 'prod-sql', ENV: 'prod\nmode: observe', EMPTY: '' },
    );
    expect(faults).toEqual([]);
    expect(resources?.policies[0]).toMatchObject({
      name: 'prod-sql',
      mode: 'enforce',
      match: { labels: { env: 'prod\nmode: observe' } },
      rules: [{ message: '!' }],
    });
    const literal = resource(
      'Policy',
      'p',
      '  rules: [{ name: a, when: "true", action: warn, message: "a $${NAME}" }]\n',
    );
    expect((await load({ 'p.yaml': literal })).resources?.policies[0]?.rules[0]?.message).toBe('a ${NAME}');
  });

  it('needs one Agent and an IdentityProvider only where told to', async () => {
    expect((await load({}, {}, { requireAgent: false })).faults).toEqual([]);
    expect((await load({}, {}, { requireAgent: true })).faults).toEqual([
      ':1:1: no Agent resource; exactly one is needed',
      ':1:1: no IdentityProvider resource; at least one is needed',
    ]);
    const second = AGENT.replace('local', 'other');
    expect((await load({ 'a.yaml': AGENT, 'b.yaml': second }, {})).faults).toEqual([
      'b.yaml:2:7: there is another Agent already; exactly one is possible',
    ]);
  });

  it('reads *.yaml and *.yml below the folder, leaves hidden names and other files alone, follows links once', async () => {
    const dir = makeFolder('config');
    try {
      await mkdir(join(dir, '..data-1'), { recursive: true });
      await writeFile(join(dir, '..data-1/p.yaml'), resource('Policy', 'p', '  rules: []\n'));
      await symlink('..data-1/p.yaml', join(dir, 'p.yaml'));
      await symlink('.', join(dir, 'loop'));
      await writeFile(join(dir, 'notes.txt'), 'not: [yaml');
      await writeFile(join(dir, '.p.yaml'), 'not: [yaml');
      await writeFile(join(dir, 'empty.yml'), '# nothing\n---\n---\n');
      expect((await loadFolder(dir, {})).resources?.policies.map(({ name }) => name)).toEqual(['p']);
      expect((await loadFolder(join(dir, 'p.yaml'), {})).resources?.policies).toHaveLength(1);
    } finally {
    }
  });

  it('says so where the folder does not exist', async () => {
    expect((await loadFolder('/nonexistent/folder', {})).faults).toEqual([':1:1: no such file or folder']);
  });
});

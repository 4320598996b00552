import { describe, expect, it } from 'vitest';
import { load } from './config-fixtures.js';

const postgres = (name: string, credential: string): string => `apiVersion: hoop/v1
kind: Connection
metadata: { name: ${name} }
spec:
  type: postgres
  address: db.example.com
  database: shop
  credentials: [${credential}]
  access: { groups: [dba] }
`;

const ROTATED = '{ username: app, password: { secret: pw }, rotation: { every: 30d } }';

describe('a stored secret in a resource file', () => {
  it('is kept as its name, with the age that its password may get', async () => {
    const { resources } = await load({ 'a.yaml': postgres('a', ROTATED) });
    expect(resources?.connections[0]?.credentials).toEqual([
      { groups: ['*'], username: 'app', password: { secret: 'pw' }, rotateEveryMs: 30 * 86_400_000 },
    ]);
  });

  it('may be rotated where two connections lead to the same role, not where another role uses it', async () => {
    const same = {
      'a.yaml': postgres('a', ROTATED),
      'b.yaml': postgres('b', '{ username: app, password: { secret: pw } }'),
    };
    expect((await load(same)).faults).toEqual([]);
    const other = {
      'a.yaml': postgres('a', ROTATED),
      'b.yaml': postgres('b', '{ username: bo, password: { secret: pw } }'),
    };
    expect((await load(other)).faults).toEqual([
      expect.stringMatching(/^a\.yaml:8:\d+: secret `pw` is used by another/),
    ]);
  });
});

import { describe, expect, it } from 'vitest';
import { starterFiles } from '../../src/config/starter.js';
import { load } from './config-fixtures.js';

const files = starterFiles(new Uint8Array(32).fill(7));
const asRecord = Object.fromEntries(files.map(({ path, content }) => [path, content]));

describe('starterFiles', () => {
  it('load without a fault once the 2 variables of identity.yaml are set', async () => {
    const env = { HOOP_ISSUER: 'https://id.example.com', HOOP_CLIENT_ID: 'hoop-cli' };
    const { faults, resources } = await load(asRecord, env, { requireAgent: true });
    expect(faults).toEqual([]);
    expect(resources?.policies.map(({ name }) => name)).toEqual(['standard-masking', 'standard-sql']);
    expect(resources?.connections.map(({ name }) => name)).toEqual(['postgres']);
  });

  it('name the variable that is not set', async () => {
    const { faults } = await load(asRecord, { HOOP_ISSUER: 'https://id.example.com' }, { requireAgent: true });
    expect(faults).toHaveLength(1);
    expect(faults[0]).toMatch(/^identity\.yaml:\d+:\d+: the environment variable `HOOP_CLIENT_ID` is not set$/);
  });

  it('hold the key as one line of base64 and are private to their owner', () => {
    expect(asRecord['master.key']).toBe(`${Buffer.alloc(32, 7).toString('base64')}\n`);
    expect(files.map(({ mode }) => mode)).toEqual(files.map(() => 0o600));
    expect(() => starterFiles(new Uint8Array(31))).toThrow('the master key is 32 bytes');
  });

  it('keep every commented example true: with the comments taken off they load too', async () => {
    const uncommented = asRecord['agent.yaml']?.replace(/^ {2}# (publicUrl|roles|limits)/gm, '  $1') ?? '';
    const connections = asRecord['connections.yaml']?.replace(/^ {4}# -/gm, '    -') ?? '';
    expect(uncommented).toContain('\n  roles:');
    expect(connections).toContain('\n    - { groups: [dba]');
    // Explanations of whole commented documents begin with `##`.
    const [plain = '', commented = ''] = connections.split(/^(?=## A model)/m);
    const whole = plain + commented.replace(/^# /gm, '');
    const { faults, resources } = await load({ 'agent.yaml': uncommented, 'connections.yaml': whole });
    expect(faults).toEqual([]);
    expect(resources?.connections).toMatchObject([
      { name: 'postgres' },
      { name: 'openai', type: 'openai', prices: [{}, {}] },
      { name: 'crm', type: 'http', credentials: [{ headers: { authorization: { env: 'CRM_TOKEN' } } }] },
    ]);
  });
});

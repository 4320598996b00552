import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  appendFileSync,
  cpSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { Client } from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { AgentApi } from '../../src/client/agent-api.js';
import { exportEvidence, listReadings } from '../../src/client/audit.js';
import { verifyRecordings } from '../../src/client/recordings/verify-recordings.js';
import type { WellKnown } from '../../src/identity/well-known.js';
import { generateRecordingKey, publicKeyOf, signBytes } from '../../src/recording/keys.js';
import { verifyBundle } from '../../src/recording/proof/verify-bundle.js';
import { startTestAgent, type TestAgent } from '../support/agent.js';
import { missingPostgres } from '../support/postgres-server.js';
import { makeFolder } from '../support/folders.js';

const POLICIES = `
apiVersion: hoop/v1
kind: Policy
metadata: { name: guard }
spec: { rules: [{ name: no-drop, when: '"drop" in sql.effects', action: block }] }
`;

describe.skipIf(missingPostgres() !== undefined)('evidence of a span of time', () => {
  let agent: TestAgent;
  let keys: WellKnown['recordingKeys'];
  let archive = '';
  let folder = '';
  let session = '';
  const work = makeFolder('evidence');
  const api = (groups: readonly string[], subject = 'aud'): AgentApi =>
    new AgentApi({ url: agent.agent.url, token: () => agent.token({ subject, groups }) });
  const today = new Date().toISOString().slice(0, 10);
  const span = { from: `${today}T00:00:00.000Z`, to: new Date(Date.parse(today) + 2 * 86_400_000).toISOString() };

  beforeAll(async () => {
    agent = await startTestAgent({ policies: POLICIES });
    const { port } = await agent.port();
    const db = new Client({ host: '127.0.0.1', port, user: 'x', database: agent.database, ssl: false });
    await db.connect();
    await db.query('select id from customers');
    await db.query('drop table customers').catch(() => undefined);
    await db.end();
    const auditor = api(['auditors']);
    const sealed = async (): Promise<string> => {
      const { items } = await auditor.get<{ items: { id: string; head: string; endedAt: string }[] }>('/v1/sessions');
      return items.find(({ endedAt }) => endedAt !== '')?.id ?? '';
    };
    const deadline = Date.now() + 20_000;
    while (session === '' && Date.now() < deadline) session = await sealed();
    keys = ((await (await fetch(`${agent.agent.url}/.well-known/hoop`)).json()) as WellKnown).recordingKeys;
    archive = await exportEvidence({ agent: auditor, ...span, out: join(work, 'evidence.tar') });
    folder = await exportEvidence({ agent: auditor, ...span, out: join(work, 'evidence') });
  }, 60_000);
  afterAll(async () => {
    await agent.close();
  });

  const json = (name: string): Record<string, unknown>[] =>
    readFileSync(join(folder, name), 'utf8')
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line) as Record<string, unknown>);
  const copy = (): string => {
    const to = mkdtempSync(join(work, 'copy-'));
    cpSync(folder, to, { recursive: true });
    return to;
  };

  it('holds by itself, as an archive and unpacked, with the key alone', async () => {
    const keyFile = join(work, 'agent.pub');
    writeFileSync(keyFile, JSON.stringify(keys));
    const request = {
      targets: [archive, folder],
      keyFile,
      agent: () => {
        throw new Error('asked the agent');
      },
      configFolder: work,
      say: () => undefined,
    };
    const results = [];
    for await (const result of verifyRecordings(request)) results.push(result);
    expect(results).toMatchObject([
      { kind: 'bundle', ok: true, verified: 1, breaks: [] },
      { kind: 'bundle', ok: true, verified: 1, breaks: [] },
    ]);
  });

  it('is what its lists and signed lists stand for, which are no recordings', async () => {
    const keyFile = join(work, 'agent.pub');
    writeFileSync(keyFile, JSON.stringify(keys));
    const said: string[] = [];
    const request = (targets: readonly string[]) => ({
      targets,
      keyFile,
      agent: () => {
        throw new Error('asked the agent');
      },
      configFolder: work,
      say: (text: string) => void said.push(text),
    });
    const names = ['approvals.ndjson', 'decisions.ndjson', 'sessions.ndjson', 'README.txt', 'recordings/checkpoint'];
    const lists = names.map((name) => join(folder, name));
    for await (const result of verifyRecordings(request(lists)))
      expect(result).toMatchObject({ kind: 'bundle', ok: true, verified: 1, breaks: [] });
    expect(said[0]).toBe(`approvals.ndjson is no recording but part of an evidence bundle: verifying all of ${folder}`);
    expect(said).toHaveLength(lists.length);
    const changed = copy();
    appendFileSync(join(changed, 'approvals.ndjson'), '{}\n');
    for await (const { ok, breaks } of verifyRecordings(request([join(changed, 'decisions.ndjson')])))
      expect([ok, breaks[0]]).toMatchObject([false, { file: 'approvals.ndjson', kind: 'changed' }]);
    // A recording in it, and one that was made unreadable, are still judged as one.
    const recording = join(folder, 'recordings', today, `${session}.ndjson`);
    for await (const result of verifyRecordings(request([recording])))
      expect(result).toMatchObject({ kind: 'file', ok: true });
    // Alone it is proven by nothing, but it was not tampered with either.
    const alone = join(work, 'decisions.ndjson');
    cpSync(join(folder, 'decisions.ndjson'), alone);
    for await (const { ok, breaks } of verifyRecordings(request([alone])))
      expect([ok, breaks]).toMatchObject([false, [{ kind: 'no-recording', file: alone, seq: 0 }]]);
    writeFileSync(join(work, `${session}.ndjson`), 'wiped\n');
    for await (const { ok, breaks } of verifyRecordings(request([join(work, `${session}.ndjson`)])))
      expect([ok, breaks]).toMatchObject([false, [{ kind: 'changed', seq: 1 }]]);
  });

  it('holds for openssl and sha256sum, as its README says', () => {
    const key = `keys/${keys[0]?.keyId ?? ''}.pem`;
    const run = (command: string): string => execFileSync('bash', ['-c', command], { cwd: folder, encoding: 'utf8' });
    expect(run(`openssl pkeyutl -verify -pubin -inkey ${key} -rawin -in SHA256SUMS -sigfile SHA256SUMS.sig`)).toContain(
      'Signature Verified Successfully',
    );
    expect(run('sha256sum --check --strict --quiet SHA256SUMS')).toBe('');
    const file = `recordings/${today}/${session}.ndjson`;
    const lines = readFileSync(join(folder, file), 'utf8').trimEnd().split('\n');
    for (const line of lines) {
      const hash = createHash('sha256')
        .update(line.replace(/,"hash":"[0-9a-f]{64}"/, ''))
        .digest('hex');
      expect((JSON.parse(line) as { hash: string }).hash).toBe(hash);
    }
    const seal = JSON.parse(lines.at(-1) as string) as { prev: string; signature: string };
    writeFileSync(join(work, 'prev'), seal.prev);
    writeFileSync(join(work, 'sig'), Buffer.from(seal.signature, 'base64'));
    expect(
      run(
        `openssl pkeyutl -verify -pubin -inkey ${key} -rawin -in ${join(work, 'prev')} -sigfile ${join(work, 'sig')}`,
      ),
    ).toContain('Signature Verified Successfully');
  });

  it('has decisions with the policies that were in force, by their hash', () => {
    const blocked = json('decisions.ndjson').find(({ action }) => action === 'block');
    expect(blocked).toMatchObject({ session, rules: ['guard/no-drop'], text: 'drop table customers' });
    const source = readFileSync(join(folder, 'policies', `${String(blocked?.['policyHash'])}.json`), 'utf8');
    expect(createHash('sha256').update(source).digest('hex')).toBe(blocked?.['policyHash']);
    expect(source).toContain('"no-drop"');
  });

  it('is for auditors, and every reading is listed with who, when and what', async () => {
    await expect(
      exportEvidence({ agent: api(['engineering'], 'ann'), ...span, out: join(work, 'x') }),
    ).rejects.toMatchObject({
      code: 'not_allowed',
    });
    const own = api(['engineering'], 'ann');
    for await (const _ of await own.stream(`/v1/sessions/${session}/recording`));
    await expect(own.get('/v1/audit/readings')).rejects.toMatchObject({ code: 'not_allowed' });
    await expect(api(['engineering'], 'bo').stream(`/v1/sessions/${session}/recording`)).rejects.toMatchObject({
      code: 'not_found',
    });
    const readings = await listReadings(api(['auditors']), { session }, 100);
    expect(readings.map(({ subject, what }) => `${subject} ${what}`)).toEqual([
      'ann recording',
      'aud export',
      'aud export',
    ]);
    expect(json('readings.ndjson').map(({ what }) => what)).toContain('export');
  });

  /** What is done to an unpacked bundle, and what it must be found as. */
  const TAMPERINGS: readonly (readonly [string, (at: string) => void, string])[] = [
    ['a recording taken out', (at) => rmSync(join(at, `recordings/${today}/${session}.ndjson`)), 'missing'],
    [
      'a line more in a recording',
      (at) => appendFileSync(join(at, `recordings/${today}/${session}.ndjson`), 'x\n'),
      'added',
    ],
    ['a decision changed', (at) => appendFileSync(join(at, 'decisions.ndjson'), '{}\n'), 'changed'],
    ['a file put in', (at) => writeFileSync(join(at, 'note.txt'), 'x'), 'unlisted'],
    [
      'a policy changed',
      (at) => appendFileSync(join(at, 'policies', readdirSync(join(at, 'policies'))[0] ?? ''), ' '),
      'changed',
    ],
    ['the list of files changed', (at) => appendFileSync(join(at, 'SHA256SUMS'), '\n'), 'bad-signature'],
    ['the signature taken out', (at) => rmSync(join(at, 'SHA256SUMS.sig')), 'missing'],
    ['the checkpoint changed', (at) => appendFileSync(join(at, `recordings/${today}/checkpoint`), '\n'), 'checkpoint'],
    [
      'a pipe for the list of files',
      (at) => {
        rmSync(join(at, 'SHA256SUMS'));
        execFileSync('mkfifo', [join(at, 'SHA256SUMS')]);
      },
      'missing',
    ],
    [
      'a link to an endless device for the signature',
      (at) => {
        rmSync(join(at, 'SHA256SUMS.sig'));
        symlinkSync('/dev/zero', join(at, 'SHA256SUMS.sig'));
      },
      'missing',
    ],
    [
      'a pipe for what the bundle says of itself',
      (at) => {
        rmSync(join(at, 'bundle.json'));
        execFileSync('mkfifo', [join(at, 'bundle.json')]);
      },
      'missing',
    ],
    [
      'everything signed anew by another key',
      (at) => {
        const foreign = generateRecordingKey();
        rmSync(join(at, 'keys'), { recursive: true });
        writeFileSync(join(at, 'SHA256SUMS.sig'), signBytes(foreign, readFileSync(join(at, 'SHA256SUMS'))));
      },
      'another-key',
    ],
  ];

  it.each(TAMPERINGS)('%s is found', async (_name, tamper, kind) => {
    const at = copy();
    tamper(at);
    const result = await verifyBundle(at, keys);
    expect(result.ok).toBe(false);
    expect(result.breaks.map((found) => found.kind)).toContain(kind);
  });

  it('does not hold by another key, and not where the archive is cut off', async () => {
    expect(await verifyBundle(folder, [publicKeyOf(generateRecordingKey())])).toMatchObject({
      ok: false,
      breaks: [{ kind: 'another-key' }],
    });
    const cut = join(work, 'cut.tar');
    writeFileSync(cut, readFileSync(archive).subarray(0, 20_000));
    const keyFile = join(work, 'agent.pub');
    const request = { targets: [cut], keyFile, agent: () => api([]), configFolder: work, say: () => undefined };
    await expect(verifyRecordings(request).next()).rejects.toMatchObject({ code: 'verify_failed' });
  });
});

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import type { AddressInfo, Socket } from 'node:net';
import { join } from 'node:path';
import { Client } from 'pg';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { checkAgent } from '../../src/client/doctor/agent-checks.js';
import { verifyFolder } from '../../src/recording/proof/verify-folder.js';
import { startTestAgent, type TestAgent } from '../support/agent.js';
import { missingPostgres } from '../support/postgres-server.js';
import { S3_KEYS, startS3Server, type S3Server } from '../support/s3-server.js';
import { issueServerCertificate } from '../support/server-certificate.js';
import { makeFolder } from '../support/folders.js';

const WAIT = { timeout: 30_000, interval: 100 };
const CREDENTIALS = 'accessKeyId: { env: S3_ID }, secretAccessKey: { file: ../s3.key }';

describe.skipIf(missingPostgres() !== undefined)('an agent that copies its recordings to a bucket', () => {
  let dir: string;
  let closing: (() => Promise<unknown>)[];
  beforeEach(() => {
    dir = makeFolder('uploads');
    writeFileSync(join(dir, 's3.key'), `${S3_KEYS.secretAccessKey}\n`, { mode: 0o600 });
    closing = [];
  });
  afterEach(async () => {
    for (const close of closing.reverse()) await close();
  });

  async function startAgent(upload: string): Promise<TestAgent> {
    const test = await startTestAgent({
      dir,
      recordingsSpec: `upload: { bucket: rec, prefix: prod, ${upload}, ${CREDENTIALS} }`,
      env: { S3_ID: S3_KEYS.accessKeyId },
    });
    closing.push(() => test.close());
    return test;
  }
  async function runSession({ port, database }: { port: number; database: string }): Promise<void> {
    const client = new Client({ host: '127.0.0.1', port, user: 'x', database, ssl: false });
    await client.connect();
    expect((await client.query('SELECT 7 AS n')).rows).toEqual([{ n: 7 }]);
    await client.end();
  }
  const recordingsIn = (server: S3Server): readonly string[] =>
    server.keys('rec').filter((key) => key.endsWith('.ndjson'));
  const figure = async (test: TestAgent, name: string): Promise<number> => {
    const text = await (await fetch(`${test.agent.url}/metrics`)).text();
    return Number(new RegExp(`^${name} (.+)$`, 'm').exec(text)?.[1]);
  };

  it('does so over TLS that is verified, after each seal, and its figures say so', async () => {
    const account = { uid: process.getuid?.() ?? 0, gid: process.getgid?.() ?? 0 };
    const folder = makeFolder('s3-tls');
    closing.push(() => Promise.resolve(rmSync(folder, { recursive: true, force: true })));
    const ca = await issueServerCertificate(folder, account);
    const [key, cert] = [readFileSync(join(folder, 'server.key')), readFileSync(join(folder, 'server.crt'))];
    const server = await startS3Server(['rec'], { key, cert });
    closing.push(() => server.close());
    const test = await startAgent(`endpoint: "${server.url}", ca: "${ca}"`);
    const { port } = await test.port();
    await runSession({ port, database: test.database });
    await expect.poll(() => server.keys('rec').includes('prod/recordings/checkpoint'), WAIT).toBe(true);
    await expect.poll(() => recordingsIn(server).length, WAIT).toBe(1);
    // Counted once the answer to the upload is read.
    await expect.poll(() => figure(test, 'hoop_recordings_uploaded_total'), WAIT).toBe(1);
    await expect.poll(() => figure(test, 'hoop_recordings_to_upload'), WAIT).toBe(0);
    const card = (await (await fetch(`${test.agent.url}/.well-known/hoop`)).json()) as { recordingKeys: [] };
    // The checkpoint that lists the recording goes up behind it.
    const proof = async (): Promise<unknown> => {
      const copy = mkdtempSync(join(dir, 'copy-'));
      server.download('rec', 'prod/recordings/', copy);
      return verifyFolder(copy, { keys: card.recordingKeys });
    };
    await expect.poll(proof, WAIT).toMatchObject({ ok: true, verified: 1 });
  }, 60_000);

  it('trusts no certificate that it was not told of', async () => {
    const folder = makeFolder('s3-tls');
    closing.push(() => Promise.resolve(rmSync(folder, { recursive: true, force: true })));
    await issueServerCertificate(folder, { uid: process.getuid?.() ?? 0, gid: process.getgid?.() ?? 0 });
    const [key, cert] = [readFileSync(join(folder, 'server.key')), readFileSync(join(folder, 'server.crt'))];
    const server = await startS3Server(['rec'], { key, cert });
    closing.push(() => server.close());
    const test = await startAgent(`endpoint: "${server.url}"`);
    await expect
      .poll(() => test.logged.find((line) => line.includes('can not be copied')), WAIT)
      .toMatch(/UNABLE_TO_VERIFY_LEAF_SIGNATURE|UNABLE_TO_GET_ISSUER_CERT|SELF_SIGNED/);
    expect(server.keys('rec')).toEqual([]);
  }, 60_000);

  it('serves on beside a store that takes the connection and says nothing, and ends in time', async () => {
    const sockets = new Set<Socket>();
    const silent = createServer((socket) => sockets.add(socket.on('error', () => undefined)));
    await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
    closing.push(async () => {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => silent.close(resolve));
    });
    const test = await startAgent(`endpoint: "http://127.0.0.1:${String((silent.address() as AddressInfo).port)}"`);
    const { port } = await test.port();
    await expect.poll(() => sockets.size, WAIT).toBeGreaterThan(0);
    await runSession({ port, database: test.database });
    expect((await fetch(`${test.agent.url}/readyz`)).status).toBe(200);
  }, 60_000);

  it('is ready and asks for attention while its store is away, which `hoop doctor` tells', async () => {
    const server = await startS3Server(['rec']);
    await server.stop();
    const test = await startAgent(`endpoint: "${server.url}"`);
    closing.push(() => server.close());
    const readiness = async () => (await fetch(`${test.agent.url}/readyz`)).json();
    await expect.poll(readiness, WAIT).toMatchObject({ ready: true, attention: ['uploads'] });
    const asked = { agentUrl: test.agent.url, caFile: undefined, version: '0.1.0' };
    expect(JSON.stringify(await checkAgent(asked))).toContain('can not be copied to their bucket');
    expect(await figure(test, 'hoop_recording_upload_failures_total')).toBeGreaterThan(0);
    const { port } = await test.port();
    await runSession({ port, database: test.database });
    await server.start();
    await expect.poll(() => recordingsIn(server).length, WAIT).toBe(1);
    await expect.poll(readiness, WAIT).not.toHaveProperty('attention');
  }, 60_000);
});

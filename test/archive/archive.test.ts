import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';

import { Archive, type ArchiveOptions } from '../../src/archive/archive.js';
import type { UploadTarget } from '../../src/core/resources.js';
import { Housekeeping } from '../../src/recording/folder/housekeeping.js';
import { parsePublicKeys, publicKeyOf } from '../../src/recording/keys.js';
import type { Recordings } from '../../src/recording/recordings.js';
import { verifyFolder } from '../../src/recording/proof/verify-folder.js';
import { openStore, type Store } from '../../src/store/store.js';
import { Bench, DATE, END, sessionId, start, statement } from '../recording/recorded-session.js';
import { S3_KEYS, startS3Server, type S3Server } from '../support/s3-server.js';
import { makeFolder } from '../support/folders.js';

const BUCKET = 'hoop-recordings';
const KEY = { env: 'UNUSED' };
let server: S3Server;
let bench: Bench;
let recordings: Recordings;
let store: Store;
let scratch: string;
let warned: string[];
let opened: Archive[];
let prefix = 0;
beforeAll(async () => {
  server = await startS3Server([BUCKET]);
});
afterAll(() => server.close());
beforeEach(() => {
  bench = new Bench();
  recordings = bench.open();
  scratch = makeFolder('archive');
  store = openStore({ path: join(scratch, 'hoop.db') });
  [warned, opened] = [[], []];
  prefix += 1;
});
afterEach(async () => {
  for (const archive of opened) await archive.close(0);
  await recordings.close();
  store.close();
  bench.remove();
});

const below = (): string => `t${String(prefix)}/`;
const target = (more: Partial<UploadTarget> = {}): UploadTarget => ({
  ...{ endpoint: server.url, region: 'eu-central-1', bucket: BUCKET, prefix: below(), pathStyle: true },
  ...{ accessKeyId: KEY, secretAccessKey: KEY, ...more },
});
/** The store's own clock is the machine's, and signatures hold for minutes. */
const clock = { nowMs: () => Date.now(), timestamp: () => new Date().toISOString() };
function open(options: Partial<ArchiveOptions> = {}): Archive {
  const place = options.target?.bucket ?? BUCKET;
  const archive = new Archive({
    ...{ dir: bench.dir, key: bench.key, clock, target: target(), random: () => 0, info: () => undefined },
    credentials: () => Promise.resolve(S3_KEYS),
    ledger: {
      confirmed: (path) => store.uploads.confirmed(place, path),
      confirm: (uploads) => {
        store.uploads.confirm(place, uploads);
      },
    },
    warn: (message) => warned.push(message),
    ...options,
  });
  opened.push(archive);
  return archive;
}
/** Seals one session; `kib` of text make its file larger. */
async function record(kib = 1): Promise<string> {
  const session = sessionId();
  const recorder = recordings.open(start(session));
  for (const event of statement(1, `SELECT '${'abc '.repeat(kib * 256)}'`)) recorder.record(event);
  await recorder.seal(END);
  await recordings.checkpointed();
  return session;
}
const keys = (): readonly string[] =>
  server
    .keys(BUCKET)
    .filter((key) => key.startsWith(below()))
    .map((key) => key.slice(below().length));
function verifyCopy() {
  const copy = mkdtempSync(join(scratch, 'copy-'));
  server.download(BUCKET, `${below()}recordings/`, copy);
  return verifyFolder(copy, { keys: [publicKeyOf(bench.key)] });
}

describe('the archive of closed recordings', () => {
  it('puts recordings, the checkpoints that list them and the public key into the bucket, where the copy verifies', async () => {
    const [one, two] = [await record(), await record()];
    const live = recordings.open(start());
    await live.flush();
    const archive = open();
    await archive.round();
    const day = [`recordings/${DATE}/${one}.ndjson`, `recordings/${DATE}/${two}.ndjson`].sort();
    const { keyId } = bench.key;
    expect(keys()).toEqual([`keys/${keyId}.pem`, ...day, `recordings/${DATE}/checkpoint`, 'recordings/checkpoint']);
    expect(server.bytes(BUCKET, `${below()}recordings/${DATE}/${one}.ndjson`)).toEqual(readFileSync(bench.path(one)));
    expect(parsePublicKeys(String(server.bytes(BUCKET, `${below()}keys/${keyId}.pem`)))).toEqual([
      publicKeyOf(bench.key),
    ]);
    expect(await verifyCopy()).toMatchObject({ ok: true, verified: 2, breaks: [] });
    expect(archive.figures).toMatchObject({ waiting: 0, confirmed: 2, failed: 0 });
    await live.seal(END);
  });

  it('sends nothing twice, and what is new with the next round', async () => {
    await record();
    const archive = open();
    await archive.round();
    await archive.round();
    expect(archive.figures.confirmed).toBe(1);
    await record();
    await archive.round();
    expect(archive.figures.confirmed).toBe(2);
    expect(await verifyCopy()).toMatchObject({ ok: true, verified: 2 });
  });

  it('goes on after a restart where it was, and sends everything to another bucket', async () => {
    await record();
    await open().round();
    const again = open();
    await again.round();
    expect(again.figures.confirmed).toBe(0);
    const elsewhere = open({ target: target({ bucket: 'no-such-bucket' }) });
    await expect(elsewhere.round()).rejects.toMatchObject({ status: 404, code: 'NoSuchBucket', whole: true });
    expect(elsewhere.figures).toMatchObject({ waiting: 1, confirmed: 0 });
  });

  it('keeps what the store did not take, says so, and sends it once the store is back', async () => {
    await record();
    await server.stop();
    const archive = open();
    try {
      archive.start(() => false);
      await expect.poll(() => archive.figures.failing, { timeout: 20_000 }).toBeGreaterThan(0);
      expect(warned[0]).toBe('recordings can not be copied to the bucket: ECONNREFUSED; 1 wait, 1 attempts failed');
      expect(archive.figures.oldestMs).toBeTypeOf('number');
    } finally {
      await server.start();
    }
    await expect
      .poll(() => archive.figures, { timeout: 20_000 })
      .toMatchObject({ waiting: 0, confirmed: 1, failing: 0 });
    await expect.poll(async () => (await verifyCopy()).ok, { timeout: 20_000 }).toBe(true);
  });

  it('is refused by a store that knows another secret, without a word of it in what is logged', async () => {
    await record();
    const credentials = { accessKeyId: 'S3RVER', secretAccessKey: 'hunter2-not-this-one' };
    const archive = open({ credentials: () => Promise.resolve(credentials) });
    await expect(archive.round()).rejects.toMatchObject({ status: 403, code: 'SignatureDoesNotMatch', whole: true });
    archive.start(() => false);
    await expect.poll(() => warned.length, { timeout: 20_000 }).toBeGreaterThan(0);
    expect(warned.join()).toContain('answered with status 403 (SignatureDoesNotMatch)');
    expect(warned.join()).not.toContain('hunter2');
  });

  it('sends a large recording in parts, which make the same file', async () => {
    const session = await record(900);
    await open({ partBytes: 256 * 1024 }).round();
    const copy = server.bytes(BUCKET, `${below()}recordings/${DATE}/${session}.ndjson`);
    expect(copy.equals(readFileSync(bench.path(session)))).toBe(true);
    expect(await verifyCopy()).toMatchObject({ ok: true, verified: 1 });
  });

  it('lists a day only when all that its checkpoint names is in the bucket', async () => {
    const [first, second] = [await record(), await record()];
    const archive = open();
    // About to become smaller, as files are between their seal and the next housekeeping.
    archive.start(() => true);
    await expect.poll(() => keys().length, { timeout: 20_000 }).toBe(1);
    await archive.close(1_000);
    expect(keys()).toEqual([`keys/${bench.key.keyId}.pem`]);
    expect([first, second].map((session) => archive.onlyCopy(DATE, session))).toEqual([true, true]);
  });

  it('takes the compressed form where there is one', async () => {
    const session = await record(64);
    const nothing = { retentionMs: undefined, maxBytes: undefined, onRemoved: () => undefined };
    const told = { onDone: () => undefined, onFault: () => undefined };
    await new Housekeeping({ dir: bench.dir, key: bench.key, clock, compress: true, ...nothing, ...told }).run();
    await open().round();
    expect(keys()).toContain(`recordings/${DATE}/${session}.ndjson.br`);
    expect(await verifyCopy()).toMatchObject({ ok: true, verified: 1 });
  });

  it('does not take a day whose checkpoint was changed, and takes the others', async () => {
    await record();
    writeFileSync(join(bench.dir, DATE, 'checkpoint'), 'changed\n');
    const archive = open();
    await archive.round();
    expect(warned).toEqual([`recordings of ${DATE} are not copied: the checkpoint was changed`]);
    expect(archive.figures.brokenDays).toBe(1);
    expect(keys().filter((key) => key.startsWith(`recordings/${DATE}`))).toEqual([]);
  });
});

describe('retention beside an archive', () => {
  const removed: string[] = [];
  const retain = (archive: Archive) =>
    new Housekeeping({
      ...{ dir: bench.dir, key: bench.key, clock, compress: false, retentionMs: undefined, maxBytes: 1 },
      onlyCopy: (date, session) => archive.onlyCopy(date, session),
      onRemoved: (date, through) => {
        store.uploads.forget(date, through);
        removed.push(through);
      },
      ...{ onDone: () => undefined, onFault: () => undefined },
    }).run();

  it('removes no recording that the bucket has not confirmed, and leaves its tombstone in the bucket', async () => {
    const session = await record();
    const archive = open();
    expect(await retain(archive)).toMatchObject({ removed: 0 });
    await archive.round();
    expect(await retain(archive)).toMatchObject({ removed: 1 });
    expect(removed).toEqual([session]);
    await archive.round();
    expect(keys()).toContain(`recordings/${DATE}/tombstone`);
    expect(keys()).toContain(`recordings/${DATE}/${session}.ndjson`);
    expect(await verifyCopy()).toMatchObject({ ok: true, verified: 1 });
  });
});

describe('a store that does not do what it should', () => {
  let hostile: Server;
  let answer: { status: number; headers?: Record<string, string>; body?: string };
  let asked: number;
  beforeEach(async () => {
    asked = 0;
    hostile = createServer((request, response) => {
      asked += 1;
      request.resume();
      request.on('end', () => response.writeHead(answer.status, answer.headers).end(answer.body ?? ''));
    });
    await new Promise<void>((resolve) => hostile.listen(0, '127.0.0.1', resolve));
  });
  afterEach(() => {
    hostile.closeAllConnections();
    hostile.close();
  });
  const there = (): Archive =>
    open({ target: target({ endpoint: `http://127.0.0.1:${String((hostile.address() as AddressInfo).port)}` }) });

  it('is not believed where it keeps other bytes than were sent', async () => {
    await record();
    answer = { status: 200, headers: { 'x-amz-checksum-sha256': Buffer.alloc(32).toString('base64') } };
    const archive = there();
    await expect(archive.round()).rejects.toMatchObject({ code: 'BadDigest' });
    expect(archive.figures.confirmed).toBe(0);
  });

  it('is followed to no other place', async () => {
    await record();
    answer = { status: 307, headers: { location: 'http://127.0.0.1:1/' } };
    await expect(there().round()).rejects.toMatchObject({ status: 307, whole: true });
  });

  it('gets no word of what it answers into an error', async () => {
    await record();
    answer = { status: 500, body: '<Error><Code>no\u001b]0;title\u0007</Code></Error>' };
    await expect(there().round()).rejects.toMatchObject({ message: 'answered with status 500' });
  });

  it('holds up no other recording with one that it never takes', async () => {
    await open().round();
    const sessions = [await record(), await record(), await record()];
    answer = { status: 413, body: '<Error><Code>EntityTooLarge</Code></Error>' };
    await expect(there().round()).rejects.toMatchObject({ code: 'EntityTooLarge', whole: false });
    expect(asked).toBe(sessions.length);
  });
});

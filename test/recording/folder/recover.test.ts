import { appendFileSync, existsSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { publicKeyOf } from '../../../src/recording/keys.js';
import { readRecording } from '../../../src/recording/reading/read.js';
import type { RecoveryReport } from '../../../src/recording/folder/recover.js';
import { verifyFolder } from '../../../src/recording/proof/verify-folder.js';
import { verifyRecording } from '../../../src/recording/proof/verify.js';
import { Bench, DATE, sessionId, start, statement } from '../recorded-session.js';

let bench: Bench;
beforeEach(() => {
  bench = new Bench();
});
afterEach(() => bench.remove());

/** What an agent that was killed leaves: an open file with everything that was flushed. */
async function crashed(text = ''): Promise<string> {
  const recordings = bench.open();
  const session = sessionId();
  const recorder = recordings.open(start(session));
  for (const event of [...statement(1), ...statement(2, 'DELETE FROM x', 'block')]) recorder.record(event);
  void recorder.flush();
  await recordings.close();
  appendFileSync(bench.path(session), text);
  return session;
}

async function recover(): Promise<RecoveryReport> {
  const recordings = bench.open();
  const report = await recordings.recover();
  await recordings.close();
  return report;
}

const verify = (session: string) =>
  verifyRecording(readRecording(bench.path(session)), { keys: [publicKeyOf(bench.key)], session, date: DATE });
const folder = () => verifyFolder(bench.dir, { keys: [publicKeyOf(bench.key)] });

describe('after a crash', () => {
  it('what was left open is ended as crash, sealed and indexed', async () => {
    const session = await crashed();
    bench.index.opened.clear();
    expect(await recover()).toEqual({ sealed: [session], removed: [], unknown: [], broken: [] });
    const [last, end] = [6, 7].map((line) => (JSON.parse(bench.lines(session)[line] as string) as { at: string }).at);
    const crash = { lastEventAt: last, sealedAt: end };
    expect(await verify(session)).toMatchObject({ ok: true, events: 9, crash });
    expect(JSON.parse(bench.lines(session)[7] as string)).toMatchObject({
      type: 'session.end',
      reason: 'crash',
      statements: 2,
      blocked: 1,
    });
    expect(bench.index.opened.get(session)).toMatchObject({ subject: 'u-1' });
    expect(bench.index.sealed.get(session)).toMatchObject({ statements: 2, blocked: 1, events: 9, endReason: 'crash' });
    expect(bench.index.rows.map((row) => row.text)).toContain('DELETE FROM x');
    expect(await folder()).toMatchObject({
      ...{ ok: true, verified: 1, breaks: [] },
      crashes: [{ file: `${DATE}/${session}.ndjson`, session, ...crash }],
    });
    expect(await recover()).toEqual({ sealed: [], removed: [], unknown: [], broken: [] });
  });

  it('a torn last line is cut off at every length, what was whole stays', async () => {
    const session = await crashed();
    const whole = readFileSync(bench.path(session));
    const lastStart = whole.lastIndexOf(10, whole.length - 2) + 1;
    const cuts = [1, 2, 50, whole.length - 1 - lastStart];
    for (const cut of cuts) {
      writeFileSync(bench.path(session), whole.subarray(0, lastStart + cut));
      rmSync(join(bench.dir, DATE, 'checkpoint'), { force: true });
      expect((await recover()).sealed).toEqual([session]);
      expect(await verify(session)).toMatchObject({ ok: true, events: 8 });
    }
  });

  it('a tail of zeros, as a power cut leaves it, is cut off', async () => {
    const session = await crashed('\0'.repeat(4096));
    expect((await recover()).sealed).toEqual([session]);
    expect(await verify(session)).toMatchObject({ ok: true, events: 9 });
  });

  it('an end without a seal is sealed and not ended twice', async () => {
    const session = await crashed();
    await recover();
    bench.write(session, bench.lines(session).slice(0, -1));
    rmSync(join(bench.dir, DATE, 'checkpoint'));
    expect((await recover()).sealed).toEqual([session]);
    expect(await verify(session)).toMatchObject({ ok: true, events: 9 });
  });

  it('a file without one whole event is removed', async () => {
    const empty = await crashed();
    writeFileSync(bench.path(empty), '');
    const torn = await crashed();
    writeFileSync(bench.path(torn), '{"at":"20');
    expect((await recover()).removed).toEqual([empty, torn].sort().map((session) => `${DATE}/${session}.ndjson`));
    expect(existsSync(bench.path(empty)) || existsSync(bench.path(torn))).toBe(false);
    expect(await folder()).toMatchObject({ breaks: [] });
  });

  it('a file that was changed before its tail is reported, left as it is and never sealed', async () => {
    const session = await crashed();
    const text = readFileSync(bench.path(session), 'utf8').replace('SELECT 1', 'SELECT 7');
    writeFileSync(bench.path(session), text);
    for (let run = 0; run < 2; run += 1) {
      expect((await recover()).broken).toMatchObject([{ file: `${DATE}/${session}.ndjson`, kind: 'changed' }]);
      expect(readFileSync(bench.path(session), 'utf8')).toBe(text);
    }
  });

  it('a link, a foreign session’s file and a seal followed by more are reported', async () => {
    const [one, two, three] = [await crashed(), await crashed(), await crashed()];
    await recover();
    rmSync(join(bench.dir, DATE, 'checkpoint'));
    rmSync(bench.path(one));
    symlinkSync(bench.path(two), bench.path(one));
    const copy = sessionId();
    writeFileSync(bench.path(copy), readFileSync(bench.path(two)));
    appendFileSync(bench.path(three), '{"more');
    const { broken } = await recover();
    expect(broken.map(({ file, kind }) => [file, kind]).sort()).toEqual(
      [
        [one, 'linked'],
        [copy, 'wrong-session'],
        [three, 'added'],
      ]
        .map(([id, kind]) => [`${DATE}/${id as string}.ndjson`, kind])
        .sort(),
    );
  });

  it('sealed recordings and days that are gone are reported, and stay missing for verification', async () => {
    const session = await crashed();
    await recover();
    rmSync(bench.path(session));
    expect((await recover()).broken).toMatchObject([{ kind: 'missing', file: `${DATE}/${session}.ndjson` }]);
    rmSync(join(bench.dir, DATE), { recursive: true });
    expect((await recover()).broken).toMatchObject([{ kind: 'missing', file: DATE }]);
    expect((await folder()).breaks).toMatchObject([{ kind: 'missing', file: DATE }]);
  });

  it('a checkpoint that does not hold is kept beside and reported, and verification goes on failing', async () => {
    const session = await crashed();
    await recover();
    const path = join(bench.dir, DATE, 'checkpoint');
    writeFileSync(path, readFileSync(path, 'utf8').replace('"events":9', '"events":8'));
    expect((await recover()).broken).toMatchObject([{ kind: 'checkpoint', file: DATE }]);
    expect(readdirSync(join(bench.dir, DATE)).some((name) => name.startsWith('checkpoint.broken-'))).toBe(true);
    const result = await folder();
    expect(result).toMatchObject({ ok: false, verified: 1, breaks: [{ kind: 'unlisted' }] });
    expect(await verify(session)).toMatchObject({ ok: true });
  });

  it('live sessions are left alone', async () => {
    const recordings = bench.open();
    const recorder = recordings.open(start());
    expect(await recordings.recover()).toEqual({ sealed: [], removed: [], unknown: [], broken: [] });
    for (const event of statement(1)) recorder.record(event);
    await recorder.seal({ type: 'session.end', reason: 'client', statements: 1, blocked: 0 });
    expect(await verify(recorder.session)).toMatchObject({ ok: true, events: 6 });
    await recordings.close();
  });
});

import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import type { AgentApi } from '../../src/client/agent-api.js';
import { openReplayLog } from '../../src/client/replay/replay-log.js';
import { replay } from '../../src/client/replay/replay.js';
import { replayEntries, replayTarget } from '../../src/client/replay/replay-entries.js';
import { windowRows } from '../../src/client/replay/replay-window.js';
import { compressRecording } from '../../src/recording/folder/compression.js';
import { publicKeyOf } from '../../src/recording/keys.js';
import { readRecording } from '../../src/recording/reading/read.js';
import { compilePattern } from '../../src/recording/replay/pattern.js';
import { verifyRecording } from '../../src/recording/proof/verify.js';
import { Bench, END, sessionId, start, statement } from '../recording/recorded-session.js';
import { makeFolder } from '../support/folders.js';

const STATEMENTS = 3_000;
let bench: Bench;
let folder: string;
let session: string;
let plain: string;
beforeEach(async () => {
  bench = new Bench();
  folder = makeFolder('compressed');
  const recordings = bench.open();
  session = sessionId();
  const recorder = recordings.open(start(session));
  for (let number = 1; number <= STATEMENTS; number += 1)
    for (const event of statement(number, `SELECT ${String(number)} AS n`, number % 1_000 === 0 ? 'block' : 'allow'))
      recorder.record(event);
  await recorder.seal(END);
  await recordings.close();
  plain = join(folder, `${session}.ndjson`);
  writeFileSync(plain, readFileSync(bench.path(session)));
  expect(await compressRecording(bench.path(session), readRecording)).toBe(true);
  expect(existsSync(bench.path(session))).toBe(false);
});
afterEach(() => {
  bench.remove();
});

const packed = (): string => `${bench.path(session)}.br`;
const source = {
  agent: (): AgentApi => {
    throw new Error('nobody is asked');
  },
  follow: false,
  say: () => undefined,
};

async function written(
  path: string,
  format: 'text' | 'json' | 'html' | 'asciicast' | 'sql',
  more = {},
): Promise<string> {
  const target = await replayTarget(path, undefined);
  const lines: string[] = [];
  await replay({
    ...{ entries: replayEntries(target, { ...source, ...more }), target, format, follow: false, grep: undefined },
    ...{ pace: undefined, idleLimitMs: undefined, drained: () => undefined, write: (text) => lines.push(text) },
    ...more,
  });
  return lines.join('\n');
}

describe('a compressed recording', () => {
  it.each(['text', 'json', 'html', 'asciicast', 'sql'] as const)('reads the same as %s', async (format) => {
    const told = await written(packed(), format);
    expect(told.length).toBeGreaterThan(STATEMENTS * 10);
    // A page is titled after its file.
    expect(told.replaceAll('.ndjson.br', '.ndjson')).toBe(await written(plain, format));
  });

  it('is found by the name that it had before, is searched, and ends where it is followed', async () => {
    expect(await written(bench.path(session), 'sql')).toContain('SELECT 2999 AS n');
    const found = await written(packed(), 'text', { grep: compilePattern('SELECT 2718 AS') });
    expect(found).toContain('SELECT 2718 AS n');
    expect(found).not.toContain('SELECT 2719 AS');
    expect(await written(packed(), 'json', { follow: true })).toContain('"type":"seal"');
  });

  it('is looked at anywhere by the player, which keeps what comes out in a file without a name', async () => {
    const target = await replayTarget(packed(), undefined);
    const opened = await openReplayLog(target, { ...source, cacheFolder: join(folder, 'cache') });
    await opened.done;
    const { log } = opened;
    expect(log.index.total('statement')).toBe(STATEMENTS);
    expect(log.index.total('blocked')).toBe(3);
    const middle = Math.floor(log.length / 2);
    expect((await log.entry(middle))?.event.seq).toBe(middle + 1);
    expect(JSON.stringify(await windowRows(log, log.length - 3))).toContain('SELECT 3000 AS n');
    await opened.close();
  });

  it('holds by itself, and not with one byte of it turned', async () => {
    const keys = [publicKeyOf(bench.key)];
    const events = STATEMENTS * 3 + 3;
    expect(await verifyRecording(readRecording(packed()), { keys, session })).toMatchObject({ ok: true, events });
    const bytes = readFileSync(packed());
    writeFileSync(packed(), bytes.with(bytes.length >> 1, (bytes[bytes.length >> 1] as number) ^ 1));
    expect(await verifyRecording(readRecording(packed()), { keys, session })).toMatchObject({ ok: false });
  });
});

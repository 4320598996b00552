import { spawn } from 'node:child_process';
import { statSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { exportRecordingKey, publicKeyOf } from '../../src/recording/keys.js';
import { readEvents, readRecording } from '../../src/recording/reading/read.js';
import { verifyFolder } from '../../src/recording/proof/verify-folder.js';
import { verifyRecording } from '../../src/recording/proof/verify.js';
import { Bench, DATE, sessionId } from './recorded-session.js';

const WRITER = fileURLToPath(new URL('writer-process.ts', import.meta.url));

let bench: Bench;
beforeEach(() => {
  bench = new Bench();
});
afterEach(() => bench.remove());

interface Run {
  /** Statements acknowledged. */
  readonly acknowledged: number;
  /** Everything else it said. */
  readonly said: readonly string[];
  readonly signal: NodeJS.Signals | null;
}

/** Runs a writer; kills it with SIGKILL once it has acknowledged `killAt` statements. */
async function write(
  session: string,
  options: { durability?: string; statements?: number; killAt?: number; fileBlocks?: number },
): Promise<Run> {
  const key = Buffer.from(exportRecordingKey(bench.key)).toString('base64');
  const args = [
    '--import',
    'tsx',
    WRITER,
    bench.dir,
    options.durability ?? 'flush',
    key,
    session,
    String(options.statements ?? 1e6),
  ];
  const child =
    options.fileBlocks === undefined
      ? spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] })
      : spawn('bash', ['-c', `ulimit -f ${options.fileBlocks}; exec "$@"`, 'bash', process.execPath, ...args], {
          stdio: ['ignore', 'pipe', 'inherit'],
        });
  let acknowledged = 0;
  const said: string[] = [];
  const closed = new Promise<NodeJS.Signals | null>((resolve) => child.on('close', (_code, signal) => resolve(signal)));
  for await (const line of createInterface({ input: child.stdout })) {
    if (/^\d+$/.test(line)) acknowledged = Number(line);
    else said.push(line);
    if (acknowledged === options.killAt) child.kill('SIGKILL');
  }
  return { acknowledged, said, signal: await closed };
}

async function recoverAndVerify(session: string) {
  const recordings = bench.open();
  const report = await recordings.recover();
  await recordings.close();
  const keys = [publicKeyOf(bench.key)];
  const result = await verifyRecording(readRecording(bench.path(session)), { keys, session, date: DATE });
  const numbers = new Set<unknown>();
  for await (const event of readEvents(readRecording(bench.path(session)))) {
    if (event.type === 'statement') numbers.add(event['statement']);
  }
  return { report, result, numbers, folder: await verifyFolder(bench.dir, { keys }) };
}

describe('a writer that is killed with SIGKILL', () => {
  it.each([
    ['flush', 1],
    ['flush', 37],
    ['flush', 2000],
    ['sync', 23],
  ])(
    'durability %s, after statement %d: none acknowledged is missing, and it holds after the next start',
    async (durability, killAt) => {
      const session = sessionId();
      const run = await write(session, { durability, killAt });
      expect(run.signal).toBe('SIGKILL');
      expect(run.acknowledged).toBeGreaterThanOrEqual(killAt);
      const { report, result, numbers, folder } = await recoverAndVerify(session);
      expect(report).toMatchObject({ sealed: [session], broken: [] });
      expect(result).toMatchObject({ ok: true });
      for (let number = 1; number <= run.acknowledged; number += 1) expect(numbers.has(number)).toBe(true);
      expect(folder).toMatchObject({ ok: true, verified: 1 });
    },
  );
});

describe('a disk that is full', () => {
  it.each(['flush', 'sync'])(
    'durability %s: refuses, says so once, leaves no torn line, and the next start seals',
    async (durability) => {
      const session = sessionId();
      const run = await write(session, { durability, statements: 100_000, fileBlocks: 64 });
      expect(run.said).toEqual([
        'fault recording_failed writing the recording failed with EFBIG',
        'refused recording_failed',
        expect.stringMatching(/^(sealed|fault recording_failed|unsealed recording_failed)/),
        ...run.said.slice(3),
      ]);
      expect(statSync(bench.path(session)).size).toBeLessThanOrEqual(64 * 1024);
      expect(bench.lines(session).every((line) => line.startsWith('{') && line.endsWith('}'))).toBe(true);
      const { result, numbers, folder } = await recoverAndVerify(session);
      expect(result).toMatchObject({ ok: true });
      expect(run.acknowledged).toBeGreaterThan(20);
      for (let number = 1; number <= run.acknowledged; number += 1) expect(numbers.has(number)).toBe(true);
      expect(folder).toMatchObject({ ok: true, verified: 1 });
    },
  );
});

import { execFileSync } from 'node:child_process';
import { linkSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { mkdirSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import { brotliCompressSync, constants as zlib } from 'node:zlib';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import type { ChainedEvent } from '../../src/core/events.js';
import type { BreakKind } from '../../src/recording/proof/chain-checker.js';
import { FIRST_PREV, rechainEvent } from '../../src/recording/chain.js';
import { dayLine, renderCheckpoint, sessionLine } from '../../src/recording/folder/checkpoint.js';
import { generateRecordingKey, publicKeyOf, signText } from '../../src/recording/keys.js';
import type { RecordingKey } from '../../src/recording/keys.js';
import { verifyFolder } from '../../src/recording/proof/verify-folder.js';
import { verifyRecording } from '../../src/recording/proof/verify.js';
import { Bench, DATE, inPieces, sessionId } from './recorded-session.js';

const bench = new Bench();
const foreign = generateRecordingKey();
let session = '';
let other = '';
let lines: string[] = [];

beforeAll(async () => {
  const recordings = bench.open();
  session = await bench.record(recordings);
  other = await bench.record(recordings);
  await recordings.close();
  lines = bench.lines(session);
});
afterAll(() => bench.remove());

const textOf = (all: readonly string[]): string => all.map((line) => `${line}\n`).join('');
const verify = (text: string | Uint8Array, size?: number) =>
  verifyRecording(inPieces(text, size), { keys: [publicKeyOf(bench.key)], session, date: DATE });

/** Changes one member of one line and leaves its hash alone. */
const edit = (index: number, change: (event: Record<string, unknown>) => void): string[] =>
  lines.map((line, at) => {
    if (at !== index) return line;
    const event = JSON.parse(line) as Record<string, unknown>;
    change(event);
    return JSON.stringify(event);
  });

/** Chains everything anew, as someone without the agent's key can. */
function rechain(events: readonly Record<string, unknown>[], key?: RecordingKey): string[] {
  let prev = FIRST_PREV;
  return events.map((event, index) => {
    const seal =
      event['type'] === 'seal' && key !== undefined ? { keyId: key.keyId, signature: signText(key, prev) } : {};
    const { text, hash } = rechainEvent({ ...event, ...seal, seq: index + 1, prev } as unknown as ChainedEvent);
    prev = hash;
    return text;
  });
}
const parsed = (): Record<string, unknown>[] => lines.map((line) => JSON.parse(line) as Record<string, unknown>);
const rehash = (line: string, change: Record<string, unknown>): string =>
  rechainEvent({ ...(JSON.parse(line) as ChainedEvent), ...change }).text;
const without = (...indexes: number[]): string[] => lines.filter((_, index) => !indexes.includes(index));
const swapped = (a: number, b: number): string[] =>
  lines.map((line, at) => (at === a ? lines[b] : at === b ? lines[a] : line) as string);
const inserted = (at: number, ...more: string[]): string[] => [...lines.slice(0, at), ...more, ...lines.slice(at)];
const line = (index: number): string => lines[index] as string;

/** What is done, to what it must be found as, at which event (0: the whole file). */
const FILE_TAMPERINGS: readonly (readonly [string, () => string, BreakKind, number])[] = [
  ['one word of a statement', () => textOf(edit(1, (e) => (e['text'] = 'SELECT 9'))), 'changed', 2],
  ['the user in the start', () => textOf(edit(0, (e) => (e['user'] = { subject: 'someone' }))), 'changed', 1],
  ['the time of an event', () => textOf(edit(3, (e) => (e['at'] = '2026-11-21T00:00:00.000000Z'))), 'changed', 4],
  ['the hash of an event', () => textOf(edit(3, (e) => (e['hash'] = 'f'.repeat(64)))), 'changed', 4],
  ['a member more', () => textOf(edit(4, (e) => (e['note'] = 1))), 'changed', 5],
  ['a member less', () => textOf(edit(3, (e) => delete e['rows'])), 'changed', 4],
  ['white space in a line', () => textOf(lines.map((l, i) => (i === 2 ? l.replace(':', ': ') : l))), 'changed', 3],
  [
    'another spelling of a letter',
    () => textOf(lines.map((l, i) => (i === 1 ? l.replace('SELECT', '\\u0053ELECT') : l))),
    'changed',
    2,
  ],
  [
    'another spelling of a number',
    () => textOf(lines.map((l, i) => (i === 3 ? l.replace('"rows":1', '"rows":1.0') : l))),
    'changed',
    4,
  ],
  [
    'the order of members',
    () =>
      textOf(lines.map((l, i) => (i === 1 ? JSON.stringify({ type: 'statement', ...(JSON.parse(l) as object) }) : l))),
    'changed',
    2,
  ],
  [
    'a duplicate member in front',
    () => textOf(lines.map((l, i) => (i === 1 ? l.replace('{', '{"text":"DROP TABLE x",') : l))),
    'changed',
    2,
  ],
  [
    'a duplicate hash',
    () => textOf(lines.map((l, i) => (i === 1 ? l.replace('"hash"', `"hash":"${FIRST_PREV}","hash"`) : l))),
    'changed',
    2,
  ],
  ['a carriage return', () => textOf(lines.map((l, i) => (i === 1 ? `${l}\r` : l))), 'changed', 2],
  ['a byte order mark', () => `\ufeff${textOf(lines)}`, 'changed', 1],
  [
    'an event changed and hashed anew',
    () => textOf(lines.map((l, i) => (i === 4 ? rehash(l, { text: 'SELECT 9' }) : l))),
    'changed',
    6,
  ],
  ['an event taken out', () => textOf(without(4)), 'removed', 5],
  ['three events of one statement taken out', () => textOf(without(4, 5, 6)), 'removed', 5],
  ['the start taken out', () => textOf(without(0)), 'removed', 1],
  ['the event before the seal taken out', () => textOf(without(10)), 'removed', 11],
  ['two neighbours swapped', () => textOf(swapped(3, 4)), 'reordered', 4],
  ['two distant events swapped', () => textOf(swapped(2, 8)), 'reordered', 3],
  ['an event moved to the end', () => textOf([...without(3), line(3)]), 'reordered', 4],
  ['an event twice', () => textOf(inserted(5, line(4))), 'added', 5],
  ['an early event again, late', () => textOf(inserted(9, line(2))), 'added', 3],
  ['a made-up line without a hash', () => textOf(inserted(4, '{"type":"statement"}')), 'added', 5],
  [
    'a made-up event that hashes right',
    () => textOf(inserted(4, rehash(line(4), { prev: 'a'.repeat(64), seq: 77 }))),
    'added',
    5,
  ],
  [
    'an event of the right number put in front',
    () => textOf(inserted(4, rehash(line(4), { text: 'SELECT 8', prev: 'b'.repeat(64) }))),
    'added',
    5,
  ],
  ['a chained event put in', () => textOf(inserted(4, rehash(line(4), { text: 'SELECT 8' }))), 'added', 5],
  ['an empty line', () => textOf(inserted(4, '')), 'added', 5],
  ['an event behind the seal', () => textOf([...lines, line(1)]), 'added', 13],
  ['a piece of a line behind the seal', () => `${textOf(lines)}{"x`, 'added', 13],
  ['the last line cut off', () => textOf(without(11)), 'unsealed', 12],
  ['the second half cut off', () => textOf(lines.slice(0, 6)), 'unsealed', 7],
  ['the file cut within an event', () => textOf(lines).slice(0, -40), 'truncated', 12],
  ['the last line end cut off', () => textOf(lines).slice(0, -1), 'truncated', 12],
  ['everything cut off', () => '', 'empty', 0],
  [
    'chained anew without the key',
    () => textOf(rechain(parsed().map((e, i) => (i === 1 ? { ...e, text: 'SELECT 9' } : e)))),
    'bad-signature',
    12,
  ],
  [
    'events taken out and chained anew',
    () => textOf(rechain(parsed().filter((_, i) => i < 4 || i > 6))),
    'bad-signature',
    9,
  ],
  ['chained and sealed anew by another key', () => textOf(rechain(parsed(), foreign)), 'another-key', 12],
  [
    'sealed by another key under this one’s id',
    () => {
      const forged = rechain(parsed(), foreign);
      return textOf([...forged.slice(0, -1), rehash(forged.at(-1) as string, { keyId: bench.key.keyId })]);
    },
    'bad-signature',
    12,
  ],
  [
    'the signature in another spelling of base64',
    () => textOf([...lines.slice(0, -1), rehash(line(11), { signature: `${String(parsed()[11]?.['signature'])} ` })]),
    'bad-signature',
    12,
  ],
  [
    'a seal without a signature',
    () => textOf(rechain([...parsed().slice(0, -1), { at: '2026', type: 'seal' }])),
    'changed',
    12,
  ],
  ['the recording of another session', () => textOf(bench.lines(other)), 'wrong-session', 1],
  ['a bare control character', () => textOf(lines).replace('SELECT 1', 'SELECT \u0000'), 'changed', 2],
];

describe('a recording that was tampered with', () => {
  it.each(FILE_TAMPERINGS)('%s is found', async (_name, tamper, kind, seq) => {
    const text = tamper();
    expect(text).not.toBe(textOf(lines));
    expect(await verify(text)).toMatchObject({ ok: false, kind, seq });
  });

  it('names 44 ways', () => expect(FILE_TAMPERINGS.length).toBeGreaterThanOrEqual(44));

  it('holds as it was written, in pieces of 1, 7 and 65,536 bytes', async () => {
    for (const size of [1, 7, 65_536])
      expect(await verify(textOf(lines), size)).toMatchObject({ ok: true, events: 12, live: false });
  });

  it('never holds with any one bit turned', async () => {
    const bytes = Buffer.from(textOf(lines));
    await fc.assert(
      fc.asyncProperty(fc.nat(bytes.length - 1), fc.nat(7), async (at, bit) => {
        const copy = Buffer.from(bytes);
        copy[at] = (copy[at] as number) ^ (1 << bit);
        expect((await verify(copy)).ok).toBe(false);
      }),
      { numRuns: 200 },
    );
  });

  it('gives an answer, and never an error, for any bytes', async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 300 }), async (bytes) => {
        expect((await verify(bytes)).ok).toBe(false);
      }),
    );
  });

  it('refuses a line of 100,000 nested arrays and one of 33 MiB without an error', async () => {
    expect(await verify(`${'['.repeat(100_000)}\n`)).toMatchObject({ ok: false, kind: 'changed', seq: 1 });
    expect(await verify(Buffer.alloc(33 * 1024 * 1024, 0x20))).toMatchObject({ ok: false, kind: 'changed', seq: 1 });
  });

  it('refuses 30 MB of line ends, and of lines that are nearly events, without looking at each', async () => {
    const [first] = lines as [string];
    const nearly = `${first.slice(0, -1)},\n`;
    for (const text of ['\n'.repeat(30_000_000), nearly.repeat(Math.ceil(3_000_000 / nearly.length))])
      expect(await verify(text)).toMatchObject({ ok: false, kind: 'changed', seq: 1 });
  });

  it('refuses a line of 1,500,000 values unparsed', async () => {
    expect(await verify(`[${'1,'.repeat(1_500_000)}1]\n`)).toMatchObject({ ok: false, kind: 'changed', seq: 1 });
  });

  it('is found truncated where someone knows that there were 12 events', async () => {
    const head = parsed()[11]?.['hash'] as string;
    const options = { keys: [publicKeyOf(bench.key)], session, anchor: { events: 12, head, sealed: true } };
    expect(await verifyRecording(inPieces(textOf(lines)), options)).toMatchObject({ ok: true });
    expect(await verifyRecording(inPieces(textOf(lines.slice(0, 6))), options)).toMatchObject({
      kind: 'truncated',
      seq: 7,
    });
    const listed = { ...options, anchor: { events: 12, head: FIRST_PREV, sealed: true } };
    expect(await verifyRecording(inPieces(textOf(lines)), listed)).toMatchObject({ kind: 'changed', seq: 12 });
  });

  it('holds unsealed only while the agent says that it is live and its head agrees', async () => {
    const head = parsed()[3]?.['hash'] as string;
    const anchor = { events: 4, head, sealed: false };
    const live = textOf(lines.slice(0, 6));
    const options = { keys: [publicKeyOf(bench.key)], session };
    expect(await verifyRecording(inPieces(live), { ...options, anchor })).toMatchObject({
      ok: true,
      live: true,
      events: 6,
    });
    expect(await verifyRecording(inPieces(`${live}{"torn`), { ...options, anchor })).toMatchObject({
      ok: true,
      live: true,
    });
    expect(
      await verifyRecording(inPieces(live), { ...options, anchor: { ...anchor, head: FIRST_PREV } }),
    ).toMatchObject({ kind: 'changed' });
    expect(await verifyRecording(inPieces(textOf(lines.slice(0, 3))), { ...options, anchor })).toMatchObject({
      kind: 'truncated',
    });
  });
});

const day = (...parts: string[]): string => join(bench.dir, DATE, ...parts);
const file = (id: string): string => `${DATE}/${id}.ndjson`;
const checkpointOf = (path: string): string => readFileSync(path, 'utf8');

/** Line ends, 100 MB of them in some hundred bytes: read to the end, each would cost a little. */
const BOMB = brotliCompressSync(Buffer.alloc(100_000_000, 0x0a), { params: { [zlib.BROTLI_PARAM_QUALITY]: 1 } });

/** What is done to the folder, what undoes it, and what must be found where. */
const FOLDER_TAMPERINGS: readonly (readonly [string, () => void, BreakKind, () => string])[] = [
  ['a recording deleted', () => rmSync(bench.path(other)), 'missing', () => file(other)],
  [
    'a recording replaced by a link',
    () => {
      renameSync(bench.path(other), join(bench.dir, '..', 'away'));
      symlinkSync(join(bench.dir, '..', 'away'), bench.path(other));
    },
    'linked',
    () => file(other),
  ],
  [
    'a recording with a second name',
    () => linkSync(bench.path(other), join(bench.dir, '..', 'second')),
    'linked',
    () => file(other),
  ],
  [
    'a folder for a recording',
    () => {
      rmSync(bench.path(other));
      mkdirSync(bench.path(other));
    },
    'linked',
    () => file(other),
  ],
  [
    'a pipe for a recording, which nobody writes to',
    () => {
      rmSync(bench.path(other));
      execFileSync('mkfifo', [bench.path(other)]);
    },
    'linked',
    () => file(other),
  ],
  [
    'a pipe for the checkpoint',
    () => {
      rmSync(day('checkpoint'));
      execFileSync('mkfifo', [day('checkpoint')]);
    },
    'linked',
    () => `${DATE}/checkpoint`,
  ],
  [
    'a link to an endless device for the tombstone',
    () => symlinkSync('/dev/zero', day('tombstone')),
    'linked',
    () => `${DATE}/tombstone`,
  ],
  [
    'a few bytes that unpack to gigabytes for a recording',
    () => {
      rmSync(bench.path(other));
      writeFileSync(`${bench.path(other)}.br`, BOMB);
    },
    'changed',
    () => `${file(other)}.br`,
  ],
  ['a recording emptied', () => writeFileSync(bench.path(other), ''), 'empty', () => file(other)],
  [
    'a recording cut at a line',
    () => bench.write(other, bench.lines(other).slice(0, 8)),
    'truncated',
    () => file(other),
  ],
  ['an unlisted note', () => writeFileSync(day('note.txt'), 'x'), 'unlisted', () => `${DATE}/note.txt`],
  ['an unlisted folder', () => mkdirSync(join(bench.dir, 'more')), 'unlisted', () => 'more'],
  [
    'two recordings that changed names',
    () => {
      renameSync(bench.path(other), day('x'));
      renameSync(bench.path(session), bench.path(other));
      renameSync(day('x'), bench.path(session));
    },
    'wrong-session',
    () => file(session),
  ],
  [
    'a recording copied to another day',
    () => {
      mkdirSync(join(bench.dir, '2026-11-22'));
      writeFileSync(join(bench.dir, '2026-11-22', `${other}.ndjson`), readFileSync(bench.path(other)));
    },
    'misplaced',
    () => `2026-11-22/${other}.ndjson`,
  ],
  ['the checkpoint deleted', () => rmSync(day('checkpoint')), 'missing', () => `${DATE}/checkpoint`],
  [
    'the checkpoint replaced by a link',
    () => {
      renameSync(day('checkpoint'), join(bench.dir, '..', 'c'));
      symlinkSync(join(bench.dir, '..', 'c'), day('checkpoint'));
    },
    'linked',
    () => `${DATE}/checkpoint`,
  ],
  [
    'an entry taken out of the checkpoint',
    () => writeFileSync(day('checkpoint'), checkpointOf(day('checkpoint')).split('\n').slice(1).join('\n')),
    'checkpoint',
    () => `${DATE}/checkpoint`,
  ],
  [
    'an entry twice in the checkpoint',
    () => {
      const [first, ...rest] = checkpointOf(day('checkpoint')).split('\n');
      writeFileSync(day('checkpoint'), [first, first, ...rest].join('\n'));
    },
    'duplicate',
    () => `${DATE}/checkpoint`,
  ],
  [
    'the checkpoint cut off',
    () => writeFileSync(day('checkpoint'), `${checkpointOf(day('checkpoint')).split('\n')[0] ?? ''}\n`),
    'checkpoint',
    () => `${DATE}/checkpoint`,
  ],
  [
    'the checkpoint signed by another key',
    () => writeFileSync(day('checkpoint'), renderCheckpoint([], DATE, foreign, '2026')),
    'another-key',
    () => `${DATE}/checkpoint`,
  ],
  [
    'the checkpoint’s time changed',
    () => writeFileSync(day('checkpoint'), checkpointOf(day('checkpoint')).replace('"at":"2026', '"at":"2027')),
    'bad-signature',
    () => `${DATE}/checkpoint`,
  ],
  [
    'the checkpoint of another day',
    () => writeFileSync(day('checkpoint'), renderCheckpoint([], '2026-11-20', bench.key, '2026')),
    'checkpoint',
    () => `${DATE}/checkpoint`,
  ],
  [
    'an older checkpoint and a deletion',
    () => {
      rmSync(bench.path(other));
      const last = JSON.parse(bench.lines(session).at(-1) as string) as ChainedEvent;
      writeFileSync(
        day('checkpoint'),
        renderCheckpoint([sessionLine(session, { events: 12, head: last.hash })], DATE, bench.key, '2026'),
      );
    },
    'checkpoint',
    () => `${DATE}/checkpoint`,
  ],
  [
    'a recording that the checkpoint does not list',
    () => {
      const last = JSON.parse(bench.lines(session).at(-1) as string) as ChainedEvent;
      writeFileSync(
        day('checkpoint'),
        renderCheckpoint([sessionLine(session, { events: 12, head: last.hash })], DATE, bench.key, '2026'),
      );
    },
    'unlisted',
    () => file(other),
  ],
  [
    'a day deleted',
    () => {
      rmSync(join(bench.dir, DATE), { recursive: true });
    },
    'missing',
    () => DATE,
  ],
  [
    'the days’ checkpoint changed',
    () =>
      writeFileSync(
        join(bench.dir, 'checkpoint'),
        checkpointOf(join(bench.dir, 'checkpoint')).replace(dayLine(DATE, 2), dayLine(DATE, 1)),
      ),
    'checkpoint',
    () => 'checkpoint',
  ],
];

describe('a recordings folder that was tampered with', () => {
  const options = { keys: [publicKeyOf(bench.key)] };

  it.each(FOLDER_TAMPERINGS)('%s is found', async (_name, tamper, kind, where) => {
    const own = new Bench();
    Object.assign(bench, { dir: own.dir, key: own.key });
    const recordings = own.open();
    session = await own.record(recordings);
    other = await own.record(recordings);
    await recordings.close();
    const keys = [publicKeyOf(own.key)];
    expect(await verifyFolder(own.dir, { keys })).toMatchObject({ ok: true, verified: 2, offline: true });
    tamper();
    const result = await verifyFolder(own.dir, { keys });
    expect(result.breaks).toContainEqual(expect.objectContaining({ kind, file: where() }));
    expect(result.ok).toBe(false);
    own.remove();
  });

  it('is found by the agent’s index even when an older checkpoint was put back', async () => {
    const own = new Bench();
    const recordings = own.open();
    const kept = await own.record(recordings);
    await recordings.close();
    const older = [join(own.dir, 'checkpoint'), join(own.dir, DATE, 'checkpoint')].map(
      (path) => [path, readFileSync(path)] as const,
    );
    const again = own.open();
    const gone = await own.record(again);
    await again.close();
    rmSync(own.path(gone));
    for (const [path, bytes] of older) writeFileSync(path, bytes);
    const keys = [publicKeyOf(own.key)];
    expect(await verifyFolder(own.dir, { keys })).toMatchObject({ ok: true, offline: true, verified: 1 });
    const index = {
      anchor: (id: string) => {
        const summary = own.index.sealed.get(id);
        return Promise.resolve(
          summary === undefined ? undefined : { events: summary.events, head: summary.head, sealed: true },
        );
      },
      sessions: () => Promise.resolve([...own.index.sealed.keys()]),
    };
    const result = await verifyFolder(own.dir, { keys, index });
    expect(result).toMatchObject({ ok: false, offline: false, verified: 1 });
    expect(result.breaks).toMatchObject([{ kind: 'missing', session: gone }]);
    expect(kept).not.toBe(gone);
    own.remove();
  });

  it('gives not_found for a folder that is not there', async () => {
    await expect(verifyFolder(join(bench.dir, sessionId()), options)).rejects.toMatchObject({ code: 'not_found' });
  });
});

import { createHash } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';

import { BrokenDay, dueOfDay, type Confirmation, type UploadLedger } from '../../src/archive/due.js';
import { renderCheckpoint, segmentFrom, segmentLine, sessionLine } from '../../src/recording/folder/checkpoint.js';
import { generateRecordingKey, publicKeyOf, SignatureChecker } from '../../src/recording/keys.js';
import { DATE, sessionId } from '../recording/recorded-session.js';
import { makeFolder } from '../support/folders.js';

const key = generateRecordingKey();
const checker = new SignatureChecker([publicKeyOf(key)]);
const line = (session: string): string => sessionLine(session, { events: 3, head: 'ab'.repeat(32) });
let dir: string;
let confirmed: Map<string, string>;
let ledger: UploadLedger;
beforeEach(() => {
  dir = makeFolder('due');
  mkdirSync(join(dir, DATE));
  confirmed = new Map();
  ledger = {
    confirmed: (path) => confirmed.get(path),
    confirm: (uploads: readonly Confirmation[]) => {
      for (const { path, sha256 } of uploads) confirmed.set(path, sha256);
    },
  };
});

/** A day whose oldest sessions moved into parts. */
function write(parts: readonly (readonly string[])[], own: readonly string[]): void {
  const segments = parts.map((sessions) => segmentFrom(sessions.map(line)));
  for (const [at, { text }] of segments.entries()) writeFileSync(join(dir, DATE, `checkpoint.${String(at + 1)}`), text);
  const lines = [...segments.map(({ segment }, at) => segmentLine(at + 1, segment)), ...own.map(line)];
  const listed = parts.flat().length + own.length;
  writeFileSync(join(dir, DATE, 'checkpoint'), renderCheckpoint(lines, DATE, key, `${DATE}T05:00:00.000000Z`, listed));
}
const due = () => dueOfDay(dir, DATE, checker, ledger);
async function confirmAll(): Promise<void> {
  const { sessions, lists } = await due();
  for (const session of sessions) confirmed.set(`${DATE}/${session}`, '');
  for (const { path, bytes } of lists) confirmed.set(path, createHash('sha256').update(bytes).digest('hex'));
}

describe('what of a day is to be copied', () => {
  const [one, two, three, four] = [sessionId(), sessionId(), sessionId(), sessionId()];

  it('is the sessions of its parts too, then the parts, then the checkpoint that names them', async () => {
    write([[one], [two]], [three]);
    const { sessions, lists } = await due();
    expect([...sessions].sort()).toEqual([one, two, three]);
    expect(lists.map(({ path }) => path)).toEqual(
      ['checkpoint.1', 'checkpoint.2', 'checkpoint'].map((name) => `${DATE}/${name}`),
    );
  });

  it('is nothing once all is confirmed, and what is new after that', async () => {
    write([[one]], [two]);
    await confirmAll();
    expect(await due()).toEqual({ sessions: [], lists: [] });
    write([[one], [two]], [three, four]);
    const { sessions, lists } = await due();
    expect(sessions).toEqual([three, four]);
    expect(lists.map(({ path }) => path)).toEqual([`${DATE}/checkpoint.2`, `${DATE}/checkpoint`]);
  });

  it('is not known where a part was changed', async () => {
    write([[one]], [two]);
    writeFileSync(join(dir, DATE, 'checkpoint.1'), line(three));
    await expect(due()).rejects.toThrow(BrokenDay);
  });
});

import { sha256 } from '../../../src/agent/sessions/record-bounds.js';
import { beforeAll, describe, expect, it } from 'vitest';
import { ExpectedReplies } from '../../../src/protocols/postgres/results/expected-replies.js';
import { loadGrammar } from '../../../src/protocols/postgres/facts/analyze.js';
import { copyFormatIn } from '../../../src/protocols/postgres/facts/copy-format.js';
import { PreparedStatements, type Candidate } from '../../../src/protocols/postgres/statements/prepared.js';
import { ResultRecord } from '../../../src/protocols/postgres/results/result-record.js';
import { binaryNumber, spelledAddress, spelledNumber } from '../../../src/protocols/postgres/values/binary-scalars.js';
import { unreadable } from '../../../src/protocols/postgres/statements/statement-text.js';
import { row, u16 } from './wire.js';

beforeAll(loadGrammar);

const candidate = (text: string): Candidate => ({ text, facts: unreadable(text, ''), types: [] });
const texts = (prepared: PreparedStatements, name: string): string[] | undefined =>
  prepared.candidates(name)?.map(({ text }) => text);

describe('PreparedStatements', () => {
  it('keeps both texts of a name until the server has answered, and the one it took', () => {
    const prepared = new PreparedStatements();
    const [first, second] = [candidate('a'), candidate('b')];
    prepared.propose('s', first);
    prepared.propose('s', second);
    expect(texts(prepared, 's')).toEqual(['a', 'b']);
    prepared.withdraw('s', second);
    expect(texts(prepared, 's')).toEqual(['a']);
    prepared.propose('s', second);
    prepared.confirm('s', second);
    expect(texts(prepared, 's')).toEqual(['b']);
  });

  it('does not say what a name with 17 texts stands for', () => {
    const prepared = new PreparedStatements();
    for (let index = 0; index < 17; index += 1) prepared.propose('s', candidate(String(index)));
    expect(prepared.candidates('s')).toBeUndefined();
  });
});

describe('ExpectedReplies', () => {
  it('forgets the end of a COPY that is over, so that the Sync behind it is next', () => {
    const expected = new ExpectedReplies();
    expected.push({ kind: 'copy-end' });
    expect(expected.length).toBe(0);
    expected.push({ kind: 'sync' });
    expected.push({ kind: 'copy-end' });
    expected.push({ kind: 'sync' });
    expected.shift();
    expect([expected.length, expected.shift()?.kind, expected.length]).toEqual([1, 'sync', 0]);
  });
});

describe('copyFormatIn', () => {
  it.each([
    ['copy t to stdout', 'text', '\t'],
    ['copy t to stdout csv', 'csv', ','],
    ["copy t to stdout (format csv, delimiter ';')", 'csv', ';'],
    ["copy t to stdout with delimiter '|'", 'text', '|'],
    ['copy t to stdout (format binary)', 'binary', '\t'],
  ])('reads %s as %s with %j between fields', (text, kind, delimiter) => {
    expect(copyFormatIn(text)).toMatchObject({ kind, delimiter: delimiter.charCodeAt(0) });
  });

  it.each([
    'select 1',
    'copy t from stdin',
    'copy a to stdout; copy b to stdout',
    'copy t to stdout (format odd)',
    'copy',
  ])('does not tell for %s', (text) => {
    expect(copyFormatIn(text)).toBeUndefined();
  });
});

describe('binary scalars', () => {
  const spelled = (type: number, bytes: Buffer): string[] | undefined =>
    spelledNumber(type, bytes)?.map((part) => Buffer.from(part).toString());

  it.each([
    ['4111111111111111', [4, 3, 0, 0, 4111, 1111, 1111, 1111]],
    ['-12.50', [2, 0, 0x4000, 2, 12, 5000]],
    ['10000', [2, 1, 0, 0, 1, 0]],
    ['0.0001', [1, 0xffff, 0, 4, 1]],
  ])('spells the numeric %s, and writes it so that it spells the same', (text, words) => {
    expect(spelled(1700, Buffer.concat(words.map(u16)))).toEqual([text]);
    expect(spelled(1700, Buffer.from(binaryNumber(1700, Buffer.from(text)) as Uint8Array))).toEqual([text]);
  });

  it('spells an address, and tells of a cut numeric that it can not', () => {
    expect(Buffer.from(spelledAddress(Buffer.from([2, 32, 0, 4, 10, 0, 0, 7])) as Uint8Array).toString()).toBe(
      '10.0.0.7',
    );
    expect(spelledAddress(Buffer.from([2, 32, 0, 5, 10, 0, 0, 7]))).toBeUndefined();
    expect(spelled(1700, Buffer.from([0, 4, 0, 3]))).toBeUndefined();
  });
});

describe('ResultRecord', () => {
  it('keeps 50 of 60 rows, cells of 1,024 characters, and the true counts', () => {
    const bounds = { rows: 50, bytes: 16 * 1024, hashBytes: 0, newHash: sha256 };
    const record = new ResultRecord(3, [{ name: 'a', format: 0, typeOid: 25 }], 100, bounds, true);
    for (let index = 0; index < 60; index += 1) {
      record.rows += 1;
      if (record.wantsRows) record.keep(row([index === 0 ? 'x'.repeat(2_000) : String(index)]));
    }
    const [output, result] = record.events({ tag: 'SELECT 60', nowMs: 102.5, masked: new Map([['email', 2]]) });
    expect(output).toMatchObject({ type: 'output', statement: 3, columns: ['a'], totalRows: 60 });
    const rows = output?.type === 'output' && 'rows' in output ? output.rows : [];
    expect(rows).toHaveLength(50);
    expect(rows[0]?.[0]).toBe(`${'x'.repeat(1_024)}… (2000 B)`);
    expect(result).toMatchObject({ type: 'result', tag: 'SELECT 60', rows: 60, masked: { email: 2 }, durationMs: 2.5 });
  });
});

import { beforeAll, describe, expect, it } from 'vitest';
import { TextStudy } from '../../../src/agent/fronts/postgres/text-study.js';
import { studiedReader } from '../../../src/agent/fronts/postgres/studied-reader.js';
import { loadGrammar, readSql, type SqlReading } from '../../../src/protocols/postgres/facts/analyze.js';

const rows = (count: number): string => Array.from({ length: count }, (_, at) => `(${String(at)}, 'text')`).join(', ');

/** A difference shows without 70 KB of text. */
const withoutText = (reading: SqlReading): SqlReading => ({
  ...reading,
  facts: { ...reading.facts, text: '' },
  prepared: reading.prepared.map(({ name, facts }) => ({ name, facts: { ...facts, text: '' } })),
});

beforeAll(() => loadGrammar());

describe('texts that are read in another thread', () => {
  const study = new TextStudy();

  it.each([
    ['an INSERT of 10,000 rows', `INSERT INTO shop.orders VALUES ${rows(10_000)}`],
    ['a DELETE behind 70 KB of rows', `INSERT INTO a VALUES ${rows(5_000)}; DELETE FROM b`],
    ['a PREPARE of 70 KB', `PREPARE p AS INSERT INTO a VALUES ${rows(5_000)}`],
    ['settings behind 70 KB of comment', `/*${'x'.repeat(70_000)}*/ SET search_path = evil, public; EXECUTE q`],
    ['70 KB that do not parse', `SELECT ${'x '.repeat(35_000)} FROM WHERE`],
    ['parentheses nested too deeply', `SELECT ${'('.repeat(40_000)}1${')'.repeat(40_000)}`],
    ['text with a NUL', `SELECT '${'x'.repeat(70_000)}\0'; DELETE FROM b`],
  ])('give for %s what reading them here gives', async (_, text) => {
    const [there, here] = [await study.read(text), readSql(text, { outline: true })];
    expect(there.facts.text === text).toBe(true);
    expect(withoutText(there)).toEqual(withoutText(here));
  });

  it('are all read when five come at once, each with its own facts', async () => {
    const texts = Array.from(
      { length: 5 },
      (_, at) => `DELETE FROM t${String(at)}; INSERT INTO a VALUES ${rows(4_000)}`,
    );
    const read = await Promise.all(texts.map((text) => study.read(text)));
    expect(read.map(({ facts }) => facts.writes[0]?.name)).toEqual(['t0', 't1', 't2', 't3', 't4']);
    expect(read.map(({ facts }, at) => facts.text === texts[at])).toEqual(Array(5).fill(true));
  });

  it('need it once: afterwards the session reads them without', async () => {
    const { sql, study: read } = studiedReader(study);
    const text = `UPDATE once SET a = 1; INSERT INTO a VALUES ${rows(6_000)}`;
    expect(sql.needsStudy(text)).toBe(true);
    await read(text);
    expect(sql.needsStudy(text)).toBe(false);
    expect(sql.read(text) === sql.read(text)).toBe(true);
    expect(sql.read(text).facts.unqualified).toEqual(['update']);
  });

  it('leave what tells where columns go, so that nobody parses them here', async () => {
    const { sql, study: read, outline } = studiedReader(study);
    const text = `COPY (SELECT 1 WHERE 1 IN (${Array.from({ length: 20_000 }, (_, at) => at).join(',')})) TO STDOUT CSV`;
    await read(text);
    expect(outline(text)).toMatchObject({ tree: { stmts: [{ stmt: { CopyStmt: {} } }] } });
    expect(sql.copyFormat(text)).toMatchObject({ kind: 'csv' });
    expect(outline(`SELECT ${'x '.repeat(35_000)} FROM WHERE`)).toBe('unknown');
    expect(outline('select 1')).toBeUndefined();
  });

  it('are not those of up to 64 Ki characters, nor those over the bound, which nobody reads', () => {
    const { sql } = studiedReader(study);
    expect(sql.needsStudy('x'.repeat(64 << 10))).toBe(false);
    expect(sql.needsStudy('x'.repeat((8 << 20) + 1))).toBe(false);
  });
});

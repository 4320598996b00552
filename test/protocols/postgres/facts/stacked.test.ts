import { beforeAll, describe, expect, it } from 'vitest';
import { analyze, loadGrammar } from '../../../../src/protocols/postgres/facts/analyze.js';

beforeAll(() => loadGrammar());

const stacked = (text: string): number => {
  const facts = analyze(text);
  return facts.stacked ?? facts.statements;
};

describe('how many things a message does one after another', () => {
  it.each([
    ['', 0],
    ['SELECT 1', 1],
    ['BEGIN', 1],
    ['SELECT 1; SELECT 2', 2],
    ['SELECT 1;;SELECT 2', 2],
  ])('counts the statements of %s: %i', (text, count) => {
    expect(stacked(text)).toBe(count);
  });

  it.each([
    'BEGIN;SELECT 1',
    'START TRANSACTION READ ONLY;SELECT 1',
    'SAVEPOINT _EXEC_SVP_0x1;UPDATE t SET a = 1 WHERE id = 2',
    'RELEASE _EXEC_SVP_0x1;SAVEPOINT _EXEC_SVP_0x1',
    'RELEASE _EXEC_SVP_0x1;SAVEPOINT _EXEC_SVP_0x1;INSERT INTO t VALUES (1)',
    'SAVEPOINT _per_query_svp_;DEALLOCATE "_PLAN0x1";RELEASE _per_query_svp_',
    'declare "SQL_CUR0x1" cursor with hold for select 1;fetch 100 in "SQL_CUR0x1"',
    'BEGIN;declare "SQL_CUR0x1" cursor for select 1;fetch 100 in "SQL_CUR0x1"',
    'RELEASE s;SAVEPOINT s;fetch 3 in "SQL_CUR0x1"',
    "SET DateStyle = 'ISO';SET extra_float_digits = 2;show transaction_isolation",
  ])('one, as psqlODBC sends it: %s', (text) => {
    expect(stacked(text)).toBe(1);
  });

  it.each([
    // What is put behind a statement, as injected text is.
    ['SELECT 1; BEGIN', 2],
    ['SELECT 1; SAVEPOINT a', 2],
    ['SELECT 1; COMMIT', 2],
    ['BEGIN; SELECT 1; COMMIT', 2],
    ['BEGIN; SELECT 1; ROLLBACK', 2],
    ['BEGIN; COMMIT; SELECT 1', 2],
    ['ROLLBACK TO a; SELECT 1', 2],
    ['BEGIN; SELECT 1; DELETE FROM t WHERE id = 1', 2],
    ['BEGIN; SELECT 1; RELEASE a; SELECT 2', 2],
    ["BEGIN; PREPARE TRANSACTION 'x'", 1],
    // Another cursor, or rows of it that are not the first.
    ['DECLARE c CURSOR FOR SELECT 1; FETCH 1 FROM d', 2],
    ['DECLARE c CURSOR FOR SELECT 1; SELECT 2; FETCH 1 FROM c', 3],
    ['FETCH 1 FROM c; DECLARE c CURSOR FOR SELECT 1', 2],
    ['FETCH 1 FROM c; FETCH 1 FROM c', 2],
    // Settings beside anything else.
    ['SET datestyle = iso; SELECT 1', 2],
    ['SHOW datestyle; SELECT 1', 2],
    ['SET a.b = 1; SELECT 1; SET a.b = 2', 2],
    ['SHOW a.b; CHECKPOINT', 2],
    ['SET a.b = 1; DISCARD ALL', 2],
    ['PREPARE a AS SELECT 1; EXECUTE a', 2],
  ])('counts in %s: %i', (text, count) => {
    expect(stacked(text)).toBe(count);
  });
});

import { beforeAll, describe, expect, it } from 'vitest';
import { loadGrammar } from '../../../../src/protocols/postgres/facts/analyze.js';
import { literal, quoted, trialText } from '../../../../src/protocols/postgres/trial/trial-text.js';

describe('a text that is to be tried out', () => {
  beforeAll(() => loadGrammar());

  it.each([
    ['update t set n = 1;', 'update t set n = 1\nreturning "t".*'],
    [
      'update s.t set n = 1 where id = 1 -- the first',
      'update s.t set n = 1 where id = 1 -- the first\nreturning "t".*',
    ],
    [
      'delete from "T x" as "a""b" using u where true',
      'delete from "T x" as "a""b" using u where true\nreturning "a""b".*',
    ],
    [
      'with w as (select 1) insert into t select * from w',
      'with w as (select 1) insert into t select * from w\nreturning "t".*',
    ],
    ["insert into t values ('é;') ; ", 'insert into t values (\'é;\') \nreturning "t".*'],
  ])('gives the rows that %s changes', (text, returning) => {
    expect(trialText(text)?.returning).toBe(returning);
    // What was put together still is one statement.
    expect(trialText(returning)).toMatchObject({ text: returning, returning: undefined });
  });

  it('leaves a statement as it is that gives rows by itself', () => {
    expect(trialText('select 1;')).toEqual({ kind: 'select', text: 'select 1', returning: undefined, upsert: false });
    expect(trialText('delete from t returning id')?.returning).toBeUndefined();
  });

  it('knows an insert that may change rows', () => {
    expect(trialText('insert into t values (1) on conflict (id) do update set n = 1')?.upsert).toBe(true);
    expect(trialText('insert into t values (1) on conflict do nothing')?.upsert).toBe(false);
  });

  it.each(['', ';', 'select 1; select 2', 'vacuum t', 'explain select 1', 'update t', 'begin'])('is not %j', (text) => {
    expect(trialText(text)).toBeUndefined();
  });

  it('quotes names and texts whatever is in them', () => {
    expect(quoted('a"; drop table t --')).toBe('"a""; drop table t --"');
    expect(literal("a'; drop table t --")).toBe("'a''; drop table t --'");
  });
});

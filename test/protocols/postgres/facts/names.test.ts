import { beforeAll, describe, expect, it } from 'vitest';
import { analyze, loadGrammar } from '../../../../src/protocols/postgres/facts/analyze.js';
import { EFFECTS } from '../../../../src/protocols/postgres/facts/effects.js';

beforeAll(loadGrammar);

const shown = (names: readonly { schema: string; name: string }[]): string =>
  names
    .map(({ schema, name }) => (schema === '' ? name : `${schema}.${name}`))
    .sort()
    .join(' ');

describe('reads and writes', () => {
  it.each([
    ['SELECT * FROM a JOIN s.b ON true, LATERAL (SELECT * FROM c) x', 'a c s.b', ''],
    ['SELECT * FROM "A", B, "a""b"', 'A a"b b', ''],
    ['WITH x AS (SELECT * FROM a) SELECT * FROM x, s.x', 'a s.x', ''],
    ['WITH a AS (SELECT * FROM a) SELECT * FROM a', 'a', ''],
    ['WITH RECURSIVE r AS (SELECT 1 UNION SELECT 1 FROM r) SELECT * FROM r', '', ''],
    ['WITH x AS (SELECT 1), y AS (SELECT * FROM x) SELECT * FROM y', '', ''],
    ['WITH y AS (SELECT * FROM x), x AS (SELECT 1) SELECT * FROM y', 'x', ''],
    ['SELECT (WITH x AS (SELECT 1) SELECT 1 FROM x) FROM x', 'x', ''],
    ['SELECT (SELECT 1 FROM x) UNION (WITH x AS (SELECT 1) SELECT 1 FROM x)', 'x', ''],
    ['SELECT * FROM t AS alias WHERE alias.id = 1 FOR UPDATE OF alias', 't', ''],
    ['INSERT INTO s.t SELECT * FROM a', 'a', 's.t'],
    ['INSERT INTO t VALUES ((SELECT max(id) FROM a)) RETURNING *', 'a t', 't'],
    ['UPDATE t AS x SET a = (SELECT 1 FROM b) FROM c WHERE x.id = c.id', 'b c', 't'],
    ['WITH t AS (SELECT 1) UPDATE t SET a = 1 WHERE id = 1', '', 't'],
    ['DELETE FROM t USING a WHERE t.id = a.id RETURNING t.id', 'a t', 't'],
    ['MERGE INTO t USING s ON t.id = s.id WHEN MATCHED THEN DELETE', 's', 't'],
    ['EXPLAIN DELETE FROM t USING a WHERE t.id = a.id', 'a t', ''],
    ['EXPLAIN ANALYZE DELETE FROM t WHERE id = 1', '', 't'],
    ['COPY t FROM STDIN', '', 't'],
    ['COPY s.t TO STDOUT', 's.t', ''],
    ['COPY (SELECT * FROM a) TO STDOUT', 'a', ''],
    ['TRUNCATE a, s.b', '', 'a s.b'],
    ['DROP TABLE a, s.b', '', 'a s.b'],
    ['DROP TRIGGER x ON s.b', '', 's.b'],
    ['ALTER TABLE s.t ADD a int', '', 's.t'],
    ['ALTER TABLE t RENAME TO u', '', 't'],
    ['ALTER TABLE t ATTACH PARTITION p DEFAULT', '', 'p t'],
    ['CREATE TABLE t (a int REFERENCES b)', 'b', 't'],
    ['CREATE TABLE t AS SELECT * FROM a', 'a', 't'],
    ['SELECT * INTO t FROM a', 'a', 't'],
    ['CREATE VIEW v AS SELECT * FROM a', 'a', 'v'],
    ['CREATE INDEX i ON t (a)', '', 't'],
    ['CREATE FOREIGN TABLE f (a int) SERVER s', '', 'f'],
    ['REFRESH MATERIALIZED VIEW m', '', 'm'],
    ['GRANT SELECT ON s.t TO x', '', 's.t'],
    ['DO $$ DECLARE v int := (SELECT max(id) FROM a); BEGIN INSERT INTO b SELECT * FROM c; END $$', 'a c', 'b'],
    ['CREATE FUNCTION f() RETURNS int BEGIN ATOMIC SELECT a FROM b; END', 'b', ''],
    ["CREATE FUNCTION f() RETURNS SETOF a LANGUAGE sql AS 'SELECT * FROM a'", 'a', ''],
    ['LOCK TABLE t', 't', ''],
  ])('of %s', (text, reads, writes) => {
    const facts = analyze(text);
    expect([shown(facts.reads), shown(facts.writes)]).toEqual([reads, writes]);
  });

  it('lists functions in lower case, with a schema only where one was written', () => {
    const facts = analyze(`SELECT Lower(a), pg_catalog.UPPER(b), extract(year FROM c), "Mixed"(d), (e).f FROM t`);
    expect(facts.functions).toEqual(['lower', 'pg_catalog.upper', 'extract', 'mixed']);
  });
});

describe('kind', () => {
  it.each([
    ['SELECT 1', 'select'],
    ['WITH d AS (DELETE FROM t WHERE id = 1 RETURNING 1) INSERT INTO u SELECT * FROM d', 'delete'],
    ['EXPLAIN DELETE FROM t', 'explain'],
    ['EXPLAIN ANALYZE UPDATE t SET a = 1 WHERE id = 1', 'update'],
    ["COPY t FROM PROGRAM 'x'", 'server-program'],
    ['DO $$ BEGIN DROP TABLE t; END $$', 'drop'],
    ['CREATE FUNCTION f() RETURNS int RETURN 1', 'stored-code'],
    ['CREATE ROLE x', 'role-admin'],
    ['', 'other'],
  ])('of %s is %s, the worst effect', (text, kind) => expect(analyze(text).kind).toBe(kind));

  it('orders every effect once', () => expect(new Set(EFFECTS).size).toBe(EFFECTS.length));
});

it.each([
  ['', 0],
  [' ; ;; /* ; */ -- ;', 0],
  ['SELECT 1', 1],
  ["SELECT 1; ; SELECT ';'", 2],
  ['CREATE FUNCTION f() RETURNS int BEGIN ATOMIC SELECT 1; SELECT 2; END', 1],
  ['CREATE RULE r AS ON INSERT TO t DO ALSO (SELECT 1; SELECT 2)', 1],
])('counts the statements of %s: %i', (text, count) => expect(analyze(text).statements).toBe(count));

import { beforeAll, describe, expect, it } from 'vitest';
import {
  analyze,
  createFactCache,
  deallocatesIn,
  executesIn,
  functionCallFacts,
  loadGrammar,
  mergeFacts,
  preparedIn,
  readSql,
  settingsIn,
  splitStatements,
  startupSettingFacts,
  withPrepared,
} from '../../../../src/protocols/postgres/facts/analyze.js';
import { functionNamed } from '../../../../src/protocols/postgres/facts/function-oids.js';

beforeAll(loadGrammar);

describe('prepared statements', () => {
  it('gives the facts of what PREPARE holds, for the session to remember', () => {
    const [first, second, ...rest] = preparedIn(
      'PREPARE a AS DELETE FROM t; PREPARE "B" (int) AS SELECT * FROM u WHERE id = $1',
    );
    expect(first).toMatchObject({ name: 'a', facts: { effects: ['delete'], unqualified: ['delete'], kind: 'delete' } });
    expect(second).toMatchObject({ name: 'B', facts: { effects: ['select'], reads: [{ schema: '', name: 'u' }] } });
    expect(rest).toEqual([]);
  });

  it('names what EXECUTE runs, but for what the same text prepared before', () => {
    expect(executesIn('EXECUTE a; EXECUTE "B"; EXPLAIN ANALYZE EXECUTE c')).toEqual(['a', 'B', 'c']);
    expect(executesIn('PREPARE a AS SELECT 1; EXECUTE a')).toEqual([]);
    expect(executesIn('PREPARE a AS SELECT 1; DEALLOCATE a; EXECUTE a')).toEqual(['a']);
    expect(executesIn('EXPLAIN EXECUTE a')).toEqual([]);
  });

  it('names what DEALLOCATE forgets, * for all', () => {
    expect(deallocatesIn('DEALLOCATE a; DEALLOCATE PREPARE b')).toEqual(['a', 'b']);
    expect(deallocatesIn('DEALLOCATE ALL')).toEqual(['*']);
    expect(deallocatesIn('DISCARD ALL')).toEqual(['*']);
    expect(deallocatesIn('DISCARD PLANS')).toEqual([]);
  });

  it('adds the remembered facts to those of EXECUTE', () => {
    const remembered = preparedIn('PREPARE a AS DELETE FROM t RETURNING f()')[0]?.facts;
    const facts = withPrepared(readSql('EXECUTE a'), (name) => (name === 'a' ? remembered : undefined));
    expect(facts).toMatchObject({
      text: 'EXECUTE a',
      kind: 'delete',
      effects: ['delete', 'execute'],
      unqualified: ['delete'],
      unqualifiedWrite: true,
      functions: ['f'],
      writes: [{ schema: '', name: 't' }],
      opaque: false,
      statements: 1,
    });
  });

  it('is opaque for a name nobody remembers, and for what was opaque when prepared', () => {
    expect(withPrepared(readSql('EXECUTE a'), () => undefined).opaque).toBe(true);
    const dark = analyze("PREPARE a AS SELECT query_to_xml('x', true, true, '')");
    expect(withPrepared(readSql('EXECUTE a'), () => dark)).toMatchObject({
      opaque: true,
      effects: ['dynamic', 'execute', 'select', 'prepare'],
    });
  });

  it.each(['PREPARE a AS SELECT 1', 'DEALLOCATE a', 'EXECUTE a', 'DISCARD ALL'])(
    'is opaque for %s inside a DO, which no session can follow',
    (inner) => {
      expect(analyze(`DO $$ BEGIN EXECUTE '${inner}'; END $$`).opaque).toBe(true);
    },
  );

  it('merges without losing text, count, parameters or a syntax error', () => {
    const facts = { ...analyze('SELEC'), params: ['1', null] };
    expect(mergeFacts(facts, analyze('DROP TABLE t'))).toEqual({
      ...facts,
      kind: 'drop',
      effects: ['drop', 'other'],
      writes: [{ schema: '', name: 't' }],
    });
  });
});

describe('settings', () => {
  it.each([
    ['SET standard_conforming_strings = off', [{ name: 'standard_conforming_strings', value: 'off' }]],
    ['set "Client_Encoding" to LATIN1', [{ name: 'client_encoding', value: 'latin1' }]],
    ["SET NAMES 'SQL_ASCII'", [{ name: 'client_encoding', value: 'SQL_ASCII' }]],
    ['SET search_path = a, b', [{ name: 'search_path', value: 'a, b' }]],
    ['RESET client_encoding', [{ name: 'client_encoding', value: undefined }]],
    ['RESET ALL', [{ name: undefined, value: undefined }]],
    ['DISCARD ALL', [{ name: undefined, value: undefined }]],
    [
      "SELECT set_config('Standard_Conforming_Strings', 'off', false)",
      [{ name: 'standard_conforming_strings', value: 'off' }],
    ],
    ["SELECT set_config('a.b', $1, false)", [{ name: 'a.b', value: undefined }]],
    ['SELECT set_config($1, $2, false)', [{ name: undefined, value: undefined }]],
    [
      "DO $$ BEGIN SET work_mem = 5; PERFORM set_config('x.y', 'z', true); END $$",
      [
        { name: 'work_mem', value: '5' },
        { name: 'x.y', value: 'z' },
      ],
    ],
    ["UPDATE pg_settings SET setting = 'x'", [{ name: undefined, value: undefined }]],
    ['SELECT 1', []],
  ])('changed by %s', (text, expected) =>
    expect(settingsIn(text).map(({ name, value }) => ({ name, value }))).toEqual(expected),
  );
});

describe('a function-call message', () => {
  it.each([
    ['pg_catalog.lo_import', ['server-file', 'call'], false],
    ['lo_open', ['call'], false],
    ['pg_catalog.lower', ['call'], false],
    ['dblink_exec', ['outbound', 'call'], true],
    ['ts_rewrite', ['dynamic', 'call'], true],
    ['pg_catalog.set_config', ['set-role', 'call', 'set-config'], true],
    ['', ['call'], true],
    ['16421', ['call'], true],
  ])('of %s', (name, effects, opaque) => {
    expect(functionCallFacts(name)).toMatchObject({ effects, opaque, statements: 1 });
  });
});

describe('a function-call message by object id', () => {
  it.each([
    [952, 'pg_catalog.lo_open', ['call'], false],
    [954, 'pg_catalog.loread', ['call'], false],
    [764, 'pg_catalog.lo_import', ['server-file', 'call'], false],
    [2624, 'pg_catalog.pg_read_file', ['server-file', 'call'], false],
    [2924, 'pg_catalog.query_to_xml', ['dynamic', 'call'], true],
    [2078, 'pg_catalog.set_config', ['set-role', 'call', 'set-config'], true],
    [2026, '', ['call'], true],
    [16_384, '', ['call'], true],
  ])('%d is %s', (oid, name, effects, opaque) => {
    expect(functionNamed(oid)).toBe(name);
    expect(functionCallFacts(functionNamed(oid))).toMatchObject({ effects, opaque });
  });
});

describe('a start-up setting', () => {
  it.each([
    ['search_path', 'a', ['set'], false],
    ['ROLE', 'x', ['set-role', 'set'], false],
    ['session_authorization', 'x', ['session-authorization', 'set'], false],
    ['replication', 'database', ['session-authorization', 'replication', 'set'], true],
    ['replication', 'true', ['session-authorization', 'replication', 'set'], true],
    ['replication', 'no', ['set'], false],
    ['options', '-c role=x', ['set'], true],
  ])('%s = %s', (name, value, effects, opaque) => {
    expect(startupSettingFacts(name, value)).toMatchObject({ effects, opaque, statements: 1 });
  });
});

describe('splitStatements', () => {
  it.each([
    ['', []],
    [' ; -- nothing\n;', []],
    ['SELECT 1', [['SELECT 1', 0]]],
    [
      "  SELECT ';' ;\n SELECT 2 ; ",
      [
        ["SELECT ';'", 2],
        ['SELECT 2', 16],
      ],
    ],
    [
      "SELECT 'é😀'; SELECT 'ß'; SELECT 3",
      [
        ["SELECT 'é😀'", 0],
        ["SELECT 'ß'", 14],
        ['SELECT 3', 26],
      ],
    ],
    [
      'CREATE FUNCTION f() RETURNS int BEGIN ATOMIC SELECT 1; SELECT 2; END; SELECT 3',
      [
        ['CREATE FUNCTION f() RETURNS int BEGIN ATOMIC SELECT 1; SELECT 2; END', 0],
        ['SELECT 3', 70],
      ],
    ],
    [
      'DO $$ BEGIN NULL; END $$; SELECT 1',
      [
        ['DO $$ BEGIN NULL; END $$', 0],
        ['SELECT 1', 26],
      ],
    ],
  ])('cuts %j', (text, expected) => {
    expect(splitStatements(text)).toEqual(expected.map(([part, start]) => ({ text: part, start })));
    for (const [part, start] of expected) expect(text.startsWith(part as string, start as number)).toBe(true);
  });

  it('gives a fault for text that does not parse', () => {
    expect(splitStatements('SELECT 1; SELEC')).toEqual({ code: 'sql', message: 'syntax error at character 11' });
    expect(splitStatements('a\0')).toMatchObject({ code: 'sql' });
  });

  it('reads the right body where several statements of one text have one', () => {
    const facts = analyze("SELECT 'é'; DO $$ BEGIN DELETE FROM a; END $$; DO $$ BEGIN TRUNCATE b; END $$");
    expect(facts).toMatchObject({ effects: ['truncate', 'delete', 'do', 'select'], opaque: false, statements: 3 });
  });
});

describe('the cache', () => {
  it('gives the same reading for the same text and limit', () => {
    const cache = createFactCache(100_000);
    const reading = cache.read('SELECT 1');
    expect(cache.read('SELECT 1')).toBe(reading);
    expect(cache.read('SELECT 1', { maxBytes: 3 }).facts.opaque).toBe(true);
  });

  it('holds at most 30 kB, dropping what was used least recently', () => {
    const cache = createFactCache(30_000);
    const kept = cache.read('SELECT 0');
    for (let number = 1; number <= 100; number += 1) {
      cache.read(`SELECT ${number}`);
      expect(cache.read('SELECT 0')).toBe(kept);
      expect(cache.bytes).toBeLessThanOrEqual(30_000);
    }
    expect(cache.bytes).toBeGreaterThan(5_000);
    const other = createFactCache(30_000);
    const dropped = other.read('SELECT 0');
    for (let number = 1; number <= 100; number += 1) other.read(`SELECT ${number}`);
    expect(other.read('SELECT 0')).not.toBe(dropped);
  });

  it('does not keep a text of more than an eighth of it', () => {
    const cache = createFactCache(30_000);
    cache.read(`SELECT '${'x'.repeat(2_000)}'`);
    expect(cache.bytes).toBe(0);
  });
});

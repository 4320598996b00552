import { beforeAll, describe, expect, it } from 'vitest';
import { loadGrammar } from '../../../../src/protocols/postgres/facts/analyze.js';
import { PreparedStatements } from '../../../../src/protocols/postgres/statements/prepared.js';
import { sqlReader } from '../../../../src/protocols/postgres/statements/sql-reader.js';
import { SqlPrepared } from '../../../../src/protocols/postgres/statements/sql-prepared.js';

describe('SqlPrepared.remember', () => {
  beforeAll(() => loadGrammar());

  it('reads a text again only where it PREPAREs: a statement of 8 MiB takes a second to read', () => {
    const read: string[] = [];
    const prepared = new PreparedStatements();
    const remembering = new SqlPrepared(
      { ...sqlReader, read: (text) => (read.push(text), sqlReader.read(text)) },
      prepared,
    );
    for (const text of ['insert into t values (1)', 'select 1; prepare s as delete from t', 'execute s'])
      remembering.remember(text, sqlReader.read(text).facts);
    expect(read).toEqual(['select 1; prepare s as delete from t']);
    expect(prepared.candidates('s')?.map(({ facts }) => facts.kind)).toEqual(['delete']);
  });
});

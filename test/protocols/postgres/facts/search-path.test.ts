import { beforeAll, describe, expect, it } from 'vitest';
import type { Catalog } from '../../../../src/protocols/postgres/catalog/types.js';
import { loadGrammar, readSql } from '../../../../src/protocols/postgres/facts/analyze.js';
import { SearchPath } from '../../../../src/protocols/postgres/facts/search-path.js';
import type { Run } from '../../../../src/protocols/postgres/statements/run.js';
import { sketchCatalog } from '../lineage/fixture-catalog.js';

beforeAll(() => loadGrammar());

const catalog: Catalog = {
  ...sketchCatalog({}, {}),
  schemas: new Set(['public', 'own', 'app', 'pg_catalog']),
  searchPath: ['pg_catalog', 'public'],
  user: 'app',
};

describe('where names are looked up', () => {
  /** The path after these statements, each done by itself; undefined where it may be any. */
  const after = (path: SearchPath, ...texts: readonly string[]): readonly string[] | undefined => {
    for (const text of texts) {
      const { facts, settings } = readSql(text);
      const run = { facts, text, basis: facts } as Run;
      path.running(run, settings);
      path.completed(run, 'SET');
      path.ready('I', false);
    }
    return path.lookup(catalog).searchPath;
  };
  const started = (settings: Readonly<Record<string, string>>): SearchPath => {
    const path = new SearchPath();
    for (const [name, value] of Object.entries(settings)) path.starting(name, value);
    return path;
  };

  it.each(['RESET search_path', 'SET search_path TO DEFAULT'])('%s goes back to the start-up packet', (reset) => {
    expect(after(started({}), 'SET search_path = own')).toEqual(['pg_catalog', 'own']);
    expect(after(started({}), 'SET search_path = own', reset)).toEqual(['pg_catalog', 'public']);
    expect(after(started({ search_path: 'own' }))).toEqual(['pg_catalog', 'own']);
    expect(after(started({ search_path: 'own' }), reset)).toEqual(['pg_catalog', 'own']);
    expect(after(started({ search_path: 'own' }), 'SET search_path = public', reset)).toEqual(['pg_catalog', 'own']);
  });

  it('RESET ALL does as well, alone and in the message by which asyncpg cleans a session', () => {
    const cleaned = 'SELECT pg_advisory_unlock_all(); CLOSE ALL; UNLISTEN *; RESET ALL;';
    expect(after(started({}), 'SET search_path = own', 'RESET ALL')).toEqual(['pg_catalog', 'public']);
    expect(after(started({ search_path: 'own' }), 'RESET ALL')).toEqual(['pg_catalog', 'own']);
    expect(after(started({ search_path: 'own' }), cleaned)).toEqual(['pg_catalog', 'own']);
    // Of several statements one may have failed.
    expect(after(started({ search_path: 'own' }), 'SET search_path = public', cleaned)).toBeUndefined();
    expect(after(started({}), 'SET ROLE other', 'RESET ALL')).toBeUndefined();
    expect(after(started({}), 'DISCARD ALL')).toBeUndefined();
  });

  it.each(['SET ROLE other', "SELECT set_config('role', 'other', false)", 'SET SESSION AUTHORIZATION other'])(
    'nobody can tell after %s, whose "$user" and rights are others',
    (change) => {
      expect(after(started({}), 'SET search_path = "$user"')).toEqual(['pg_catalog', 'app']);
      for (const later of ['SET search_path = "$user"', 'RESET search_path', 'SET search_path = own'])
        expect(after(started({}), change, later), later).toBeUndefined();
    },
  );

  it('nor where the catalogue says later that sessions start with another path, or the session may have changed that', () => {
    const later: Catalog = { ...catalog, searchPath: ['pg_catalog', 'own'] };
    const path = started({});
    expect(after(path, 'SELECT 1')).toEqual(['pg_catalog', 'public']);
    expect(path.lookup(later).searchPath).toBeUndefined();
    expect(path.lookup({ ...catalog }).searchPath).toEqual(['pg_catalog', 'public']);
    expect(after(started({}), 'ALTER ROLE app SET search_path = own')).toBeUndefined();
    expect(after(started({}), 'ALTER DATABASE shop SET search_path = own')).toBeUndefined();
    expect(after(started({ search_path: 'own' }), 'ALTER ROLE app SET search_path = public')).toEqual([
      'pg_catalog',
      'own',
    ]);
  });

  it('nor where the start-up packet has a role', () => {
    expect(after(started({ role: 'other' }), 'SET search_path = "$user"')).toBeUndefined();
  });
});

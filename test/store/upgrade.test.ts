import { mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from '@photostructure/sqlite';
import { describe, expect, it } from 'vitest';
import type { Upgrade } from '../../src/store/database.js';
import { MIGRATIONS } from '../../src/store/schema.js';
import { openStore } from '../../src/store/store.js';
import { makeFolder } from '../support/folders.js';

const root = makeFolder('upgrade');

/** A store as an older hoop left it, with a key in it. */
function older(version: number): string {
  const path = join(mkdtempSync(join(root, 'store-')), 'hoop.db');
  const store = openStore({ path, masterKey: new Uint8Array(32) });
  store.close();
  rmSync(path);
  const database = new DatabaseSync(path);
  for (const step of MIGRATIONS.slice(0, version)) database.exec(step);
  database.exec(
    `PRAGMA user_version = ${String(version)}; CREATE TABLE marker (word TEXT); INSERT INTO marker VALUES ('kept')`,
  );
  database.close();
  return path;
}

describe('a store of an older version', () => {
  it('is copied before it changes, readable by its owner alone, and that is told', () => {
    const path = older(1);
    const upgrades: Upgrade[] = [];
    openStore({ path, onUpgraded: (upgrade) => upgrades.push(upgrade) }).close();
    expect(upgrades).toEqual([{ from: 1, to: MIGRATIONS.length, backup: 'hoop.db.v1.backup' }]);
    const backup = `${path}.v1.backup`;
    expect(statSync(backup).mode & 0o777).toBe(0o600);
    const copy = new DatabaseSync(backup);
    expect(copy.prepare('PRAGMA user_version').get()).toEqual({ user_version: 1 });
    expect(copy.prepare('SELECT word FROM marker').get()).toEqual({ word: 'kept' });
    copy.close();
    openStore({ path, onUpgraded: (upgrade) => upgrades.push(upgrade) }).close();
    expect(upgrades).toHaveLength(1);
  });

  it('never writes over a copy that is there', () => {
    const path = older(2);
    writeFileSync(`${path}.v2.backup`, 'precious');
    openStore({ path }).close();
    expect(readdirSync(join(path, '..')).sort()).toEqual(['hoop.db', 'hoop.db.v2.1.backup', 'hoop.db.v2.backup']);
    expect(statSync(`${path}.v2.backup`).size).toBe('precious'.length);
  });

  it('stays as it is where a step fails', () => {
    const path = older(1);
    const database = new DatabaseSync(path);
    // What the next step makes is there already.
    const next = /CREATE TABLE (\w+)/.exec(MIGRATIONS[1] ?? '')?.[1] ?? 'grants';
    database.exec(`CREATE TABLE IF NOT EXISTS ${next} (x)`);
    database.close();
    expect(() => openStore({ path })).toThrow(expect.objectContaining({ code: 'config_invalid' }));
    const after = new DatabaseSync(path);
    expect(after.prepare('PRAGMA user_version').get()).toEqual({ user_version: 1 });
    after.close();
  });
});

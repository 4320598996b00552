import { randomBytes } from 'node:crypto';
import type { DatabaseSyncInstance } from '@photostructure/sqlite';
import type { SecretRow } from '../core/secret-row.js';
import { KEY_BYTES, seal, unseal } from './sealed.js';

interface Row {
  readonly name: string;
  readonly version: number;
  readonly wrapped: Uint8Array;
  readonly sealed: Uint8Array;
  readonly changed_at: string;
  readonly changed_by: string;
  readonly revoked: number;
  readonly used_at: string;
  readonly uses: number;
}

const EMPTY = new Uint8Array();

/**
 * Secrets: each value is sealed under a data key of its own, and that key under the master key. So a new master key
 * seals small keys anew, not values. Both are bound to the secret's name, the value to its version too.
 */
export class SecretTable {
  /** Uses since the last write: a use must not cost a write of its own. */
  readonly #uses = new Map<string, { at: string; count: number }>();

  constructor(
    private readonly database: DatabaseSyncInstance,
    private readonly masterKey: () => Uint8Array,
  ) {}

  /** Keeps a value under the name; on disk when this returns. @returns its version */
  put(name: string, value: Uint8Array, change: { readonly at: string; readonly by: string }): number {
    const version = (this.#row(name)?.version ?? 0) + 1;
    const dataKey = randomBytes(KEY_BYTES);
    this.database
      .prepare(
        `INSERT INTO secrets (name, version, wrapped, sealed, changed_at, changed_by) VALUES (?, ?, ?, ?, ?, ?)
         ON CONFLICT (name) DO UPDATE SET version = excluded.version, wrapped = excluded.wrapped, sealed = excluded.sealed,
           changed_at = excluded.changed_at, changed_by = excluded.changed_by, revoked = 0`,
      )
      .run(
        name,
        version,
        seal(this.masterKey(), wrapPurpose(name), dataKey),
        seal(dataKey, valuePurpose(name, version), value),
        change.at,
        change.by,
      );
    return version;
  }

  /**
   * The value; undefined where there is none, or it was revoked.
   *
   * @throws HoopError `config_invalid` where it does not open with this master key
   */
  get(name: string): Uint8Array | undefined {
    const row = this.#row(name);
    if (row === undefined || row.revoked !== 0) return undefined;
    const dataKey = unseal(this.masterKey(), wrapPurpose(name), row.wrapped);
    return unseal(dataKey, valuePurpose(name, row.version), row.sealed);
  }

  /** Takes the value away for good; the name stays known. @returns false where there is no such secret */
  revoke(name: string, change: { readonly at: string; readonly by: string }): boolean {
    const done = this.database
      .prepare('UPDATE secrets SET revoked = 1, wrapped = ?, sealed = ?, changed_at = ?, changed_by = ? WHERE name = ?')
      .run(EMPTY, EMPTY, change.at, change.by, name);
    return Number(done.changes) > 0;
  }

  /** Forgets the secret altogether. */
  remove(name: string): void {
    this.database.prepare('DELETE FROM secrets WHERE name = ?').run(name);
  }

  info(name: string): SecretRow | undefined {
    this.flush();
    const row = this.#row(name);
    return row && infoOf(row);
  }

  list(): readonly SecretRow[] {
    this.flush();
    return (this.database.prepare('SELECT * FROM secrets ORDER BY name').all() as unknown as Row[]).map(infoOf);
  }

  /** Counts a use; written with the next list, the next close. */
  used(name: string, at: string): void {
    this.#uses.set(name, { at, count: (this.#uses.get(name)?.count ?? 0) + 1 });
  }

  flush(): void {
    const update = this.database.prepare('UPDATE secrets SET used_at = ?, uses = uses + ? WHERE name = ?');
    for (const [name, { at, count }] of this.#uses) update.run(at, count, name);
    this.#uses.clear();
  }

  /** Seals every data key anew, inside of the caller's transaction. @returns how many */
  rewrap(next: Uint8Array): number {
    const rows = this.database.prepare('SELECT * FROM secrets WHERE revoked = 0').all() as unknown as Row[];
    const update = this.database.prepare('UPDATE secrets SET wrapped = ? WHERE name = ?');
    for (const { name, wrapped } of rows) {
      const purpose = wrapPurpose(name);
      update.run(seal(next, purpose, unseal(this.masterKey(), purpose, wrapped)), name);
    }
    return rows.length;
  }

  #row(name: string): Row | undefined {
    return this.database.prepare('SELECT * FROM secrets WHERE name = ?').get(name) as Row | undefined;
  }
}

function infoOf(row: Row): SecretRow {
  return {
    name: row.name,
    version: row.version,
    changedAt: row.changed_at,
    changedBy: row.changed_by,
    revoked: row.revoked !== 0,
    usedAt: row.used_at,
    uses: row.uses,
  };
}

const wrapPurpose = (name: string): string => `secret key\0${name}`;
const valuePurpose = (name: string, version: number): string => `secret\0${name}\0${String(version)}`;

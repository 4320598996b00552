import type { DatabaseSyncInstance } from '@photostructure/sqlite';
import { seal, unseal } from './sealed.js';

/** Small keys of the agent's own, each sealed under the master key and bound to its name. */
export class KeyTable {
  /** @param masterKey gives the key, or throws where the store was opened without one */
  constructor(
    private readonly database: DatabaseSyncInstance,
    private readonly masterKey: () => Uint8Array,
  ) {}

  /** Keeps bytes under a name; replaces what was there. On disk when this returns. */
  put(name: string, bytes: Uint8Array): void {
    this.database
      .prepare(
        'INSERT INTO keys (name, sealed) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET sealed = excluded.sealed',
      )
      .run(name, seal(this.masterKey(), name, bytes));
  }

  /** @throws HoopError `config_invalid` when the entry does not open with this master key */
  get(name: string): Uint8Array | undefined {
    const row = this.database.prepare('SELECT sealed FROM keys WHERE name = ?').get(name) as
      { readonly sealed: Uint8Array } | undefined;
    return row === undefined ? undefined : unseal(this.masterKey(), name, row.sealed);
  }

  /** Seals every entry anew, inside of the caller's transaction. @returns how many */
  rewrap(next: Uint8Array): number {
    const rows = this.database.prepare('SELECT name, sealed FROM keys').all() as {
      readonly name: string;
      readonly sealed: Uint8Array;
    }[];
    const update = this.database.prepare('UPDATE keys SET sealed = ? WHERE name = ?');
    for (const { name, sealed } of rows) update.run(seal(next, name, unseal(this.masterKey(), name, sealed)), name);
    return rows.length;
  }
}

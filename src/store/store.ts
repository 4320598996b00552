import type { DatabaseSyncInstance } from '@photostructure/sqlite';

import type { RecordingIndex } from '../core/recording-index.js';
import { HoopError } from '../core/errors.js';
import { AuditTable } from './audit-table.js';
import { closeDatabase, inTransaction, openDatabase, type Upgrade } from './database.js';
import { GrantTable } from './grant-table.js';
import { KeyTable } from './key-table.js';
import { LogFile } from './log-file.js';
import { RequestTable } from './request-table.js';
import { KEY_BYTES } from './sealed.js';
import { SecretTable } from './secret-table.js';
import { SessionTable } from './session-table.js';
import { UploadTable } from './upload-table.js';
import { UsageTable } from './usage-table.js';

export interface StoreOptions {
  /** Path of the database file; made 0600 where it is missing. */
  readonly path: string;
  /** 32 bytes; without it `putKey` and `getKey` throw. */
  readonly masterKey?: Uint8Array;
  /** A write that nobody waited for failed; it is tried again. */
  readonly onFault?: () => void;
  /** The file was of an older version. */
  readonly onUpgraded?: (upgrade: Upgrade) => void;
  /** Milliseconds since the epoch; the system's clock where left out. */
  readonly nowMs?: () => number;
}

/** What the agent keeps besides recordings: the index of sessions, approval requests, grants, keys, usage. */
export class Store {
  readonly sessions: SessionTable;
  readonly requests: RequestTable;
  /** Policies that were in force, and who read what. */
  readonly audit: AuditTable;
  readonly grants: GrantTable;
  /** Credentials, sealed under the master key. */
  readonly secrets: SecretTable;
  /** What lies in a bucket too. */
  readonly uploads: UploadTable;
  /** What limits have counted. */
  readonly usage: UsageTable;
  /** The sessions' table as the recorder sees it. */
  readonly recordingIndex: RecordingIndex;
  readonly #database: DatabaseSyncInstance;
  readonly #keys: KeyTable;

  constructor(database: DatabaseSyncInstance, options: StoreOptions) {
    this.#database = database;
    this.audit = new AuditTable(database);
    this.grants = new GrantTable(database);
    this.requests = new RequestTable(database, this.grants);
    const masterKey = keyGiver(options.masterKey);
    this.#keys = new KeyTable(database, masterKey);
    this.secrets = new SecretTable(database, masterKey);
    const onFault = options.onFault ?? (() => undefined);
    this.uploads = new UploadTable(database);
    this.usage = new UsageTable(database, onFault, options.nowMs);
    const sessions = new SessionTable(database, onFault, new LogFile(options.path));
    this.sessions = sessions;
    this.recordingIndex = {
      sessionOpened: (summary) => sessions.opened(summary),
      sessionSealed: (summary) => sessions.sealed(summary),
      statementsSeen: (rows) => sessions.statements(rows),
      termsSeen: (terms) => sessions.terms(terms),
      knows: (session) => sessions.get(session) !== undefined,
      flush: () => sessions.flush(),
      drain: () => sessions.drain(),
    };
  }

  /** Keeps bytes sealed under the master key; on disk when this returns. */
  putKey(name: string, bytes: Uint8Array): void {
    this.#keys.put(name, bytes);
  }

  /** @throws HoopError `config_invalid` when the entry does not open with this master key */
  getKey(name: string): Uint8Array | undefined {
    return this.#keys.get(name);
  }

  /**
   * Seals all keys and secrets under another master key: all or nothing. Then the store has to be opened with that.
   *
   * @returns how many were sealed anew
   * @throws HoopError `config_invalid` where one does not open with the present key
   */
  rewrap(next: Uint8Array): number {
    checkKey(next);
    return inTransaction(this.#database, () => this.#keys.rewrap(next) + this.secrets.rewrap(next));
  }

  /** Can the store be read? For `/readyz`. */
  get isOpen(): boolean {
    return this.#database.isOpen;
  }

  /** Writes what is gathered and lets the file go. A second call does nothing. */
  close(): void {
    if (!this.#database.isOpen) return;
    try {
      this.sessions.flush();
      this.secrets.flush();
    } finally {
      this.#closeUsage();
    }
  }

  #closeUsage(): void {
    try {
      this.usage.close();
    } finally {
      closeDatabase(this.#database);
    }
  }
}

/** @throws HoopError `config_invalid` at once where the key is not 32 bytes; when a key is asked for where there is none */
function keyGiver(masterKey: Uint8Array | undefined): () => Uint8Array {
  if (masterKey !== undefined) checkKey(masterKey);
  return () => {
    if (masterKey === undefined) throw new HoopError('config_invalid', 'the store was opened without a master key');
    return masterKey;
  };
}

function checkKey({ length }: Uint8Array): void {
  if (length !== KEY_BYTES)
    throw new HoopError('config_invalid', `master key has ${length} bytes, ${KEY_BYTES} expected`);
}

/**
 * Opens the agent's store, for this process alone.
 *
 * @throws HoopError `config_invalid` when the file can't be used, another process holds it, or a
 *   newer version of hoop wrote it
 */
export function openStore(options: StoreOptions): Store {
  const database = openDatabase(options.path, options.onUpgraded);
  try {
    return new Store(database, options);
  } catch (error) {
    closeDatabase(database);
    throw error;
  }
}

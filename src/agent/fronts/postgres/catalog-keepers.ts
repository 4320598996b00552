import type { PostgresConnection } from '../../../core/resources.js';
import { CatalogKeeper } from './catalog-keeper.js';
import { dialUpstream } from './dial-upstream.js';
import type { OwnSession } from './own-query.js';

/** A keeper that no session has asked for since is forgotten, and what it knows with it. */
const IDLE_MS = 600_000;

interface Kept {
  readonly keeper: CatalogKeeper;
  readonly database: string;
  readonly password: string | undefined;
  usedAtMs: number;
}

/** The agent's catalogue keepers: one for each connection, credential and database, shared by their sessions. */
export class CatalogKeepers {
  /** By the resource itself: a reload that changes the connection starts anew. */
  readonly #byConnection = new Map<PostgresConnection, Map<string, Kept>>();

  /** @param nowMs monotonic milliseconds */
  constructor(readonly nowMs: () => number) {}

  keeper(connection: PostgresConnection, session: OwnSession): CatalogKeeper {
    this.#forgetIdle();
    const kept = this.#byConnection.get(connection) ?? new Map<string, Kept>();
    this.#byConnection.set(connection, kept);
    const { credential, database } = session;
    const key = JSON.stringify([credential.user, database]);
    const known = kept.get(key);
    // A password that was changed: what sessions of the old one know is theirs.
    if (known !== undefined && known.password === credential.password) {
      known.usedAtMs = this.nowMs();
      return known.keeper;
    }
    const keeper = new CatalogKeeper({
      session,
      ttlMs: connection.catalogTtlMs,
      dial: () => dialUpstream(connection),
      nowMs: this.nowMs,
    });
    kept.set(key, { keeper, database, password: credential.password, usedAtMs: this.nowMs() });
    return keeper;
  }

  /** Relations or routines of this database may be others than were read, whoever reads them. */
  changed(connection: PostgresConnection, database: string): void {
    for (const [{ host, port }, kept] of this.#byConnection) {
      if (host !== connection.host || port !== connection.port) continue;
      for (const one of kept.values()) if (one.database === database) one.keeper.changed();
    }
  }

  /** Sessions hold on to their keepers: a forgotten one serves them on, and new sessions share another. */
  #forgetIdle(): void {
    const before = this.nowMs() - IDLE_MS;
    for (const [connection, kept] of this.#byConnection) {
      for (const [key, { usedAtMs }] of kept) if (usedAtMs < before) kept.delete(key);
      if (kept.size === 0) this.#byConnection.delete(connection);
    }
  }
}

import type { ConnectionResource } from '../../../core/resources.js';
import type { SqlFacts } from '../../../policy/types.js';
import type { Catalog } from '../../../protocols/postgres/catalog/types.js';
import type { CatalogKeeper } from './catalog-keeper.js';
import type { CatalogKeepers } from './catalog-keepers.js';
import type { OwnSession } from './own-query.js';

/** Effects after which relations and routines may be others than were read. */
const CHANGES: ReadonlySet<string> = new Set([
  ...['create', 'alter', 'drop', 'owner', 'grant', 'revoke', 'role-admin', 'extension', 'stored-code', 'server-config'],
  ...['do', 'call', 'dynamic'],
]);

/** What the catalogue of one session must know of it. */
export interface CatalogUser {
  readonly busy: boolean;
  readonly inTransaction: boolean;
}

/** One session's part in the catalogue that it shares: it asks for it, and says when its statements change it. */
export class SessionCatalog {
  readonly #keeper: CatalogKeeper;
  /** DDL has been let through: what it did shows once it is done. */
  #changing = false;

  constructor(
    private readonly keepers: CatalogKeepers,
    private readonly connection: ConnectionResource,
    private readonly own: OwnSession,
    private readonly user: () => CatalogUser | undefined,
  ) {
    this.#keeper = keepers.keeper(connection, own);
  }

  /** What was read last, however old; undefined before the first reading. */
  get latest(): Catalog | undefined {
    return this.#keeper.latest;
  }

  /** @see CatalogKeeper.current */
  current(): Catalog | Promise<Catalog> {
    return this.#keeper.current();
  }

  /** Statements are about to come that need it. */
  ahead(): void {
    if (this.latest === undefined) this.#keeper.ahead();
  }

  /** A statement that does this is about to run. What a transaction has changed shows only when it is over. */
  seen(facts: SqlFacts): void {
    const changes = facts.opaque || facts.effects.some((effect) => CHANGES.has(effect));
    if (!changes && !this.#changing) return;
    if (!this.#changing || this.user()?.inTransaction !== true) this.#changed();
    this.#changing = true;
  }

  /** The server is ready and no transaction is open: what was changed before shows from now on. */
  idle(): void {
    if (!this.#changing) return;
    this.#changing = this.user()?.busy === true;
    this.#changed();
  }

  #changed(): void {
    // A keeper that was forgotten meanwhile serves this session still.
    this.#keeper.changed();
    this.keepers.changed(this.connection, this.own.database);
  }
}

import type { PostgresConnection } from '../../../core/resources.js';
import type { SqlFacts, SqlRename } from '../../../policy/types.js';
import type { Catalog, NameLookup } from '../../../protocols/postgres/catalog/types.js';
import { joinedRenames, MAX_RENAMES } from '../../../protocols/postgres/facts/analyze.js';
import type { CatalogKeeper } from './catalog-keeper.js';
import type { CatalogKeepers } from './catalog-keepers.js';
import type { OwnSession } from './own-query.js';

/** Effects after which relations and routines may be others than were read. */
const CHANGES: ReadonlySet<string> = new Set([
  ...['create', 'alter', 'drop', 'owner', 'grant', 'revoke', 'role-admin', 'extension', 'stored-code', 'server-config'],
  ...['do', 'call', 'dynamic'],
]);

/** COMMIT PREPARED: it brings what another session changed, whenever that was. */
function endsPrepared({ effects, text }: SqlFacts): boolean {
  return effects.includes('commit') && /\bprepared\b/i.test(text);
}

/** What the catalogue of one session must know of it. */
export interface CatalogUser {
  readonly busy: boolean;
  readonly inTransaction: boolean;
}

/** One session's part in the catalogue that it shares: it asks for it, and says when its statements change it. */
export class SessionCatalog {
  readonly #keeper: CatalogKeeper;
  readonly #startedMs: number;
  /** DDL has been let through: what it did shows once it is done. */
  #changing = false;
  #renames: readonly SqlRename[] = [];
  #renamed = new WeakMap<NameLookup, NameLookup>();

  constructor(
    private readonly keepers: CatalogKeepers,
    private readonly connection: PostgresConnection,
    private readonly own: OwnSession,
    private readonly user: () => CatalogUser | undefined,
  ) {
    this.#keeper = keepers.keeper(connection, own);
    this.#startedMs = keepers.nowMs();
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

  /** How names are looked up, with what the open transaction has changed; the same object for the same. */
  lookup(settled: NameLookup): NameLookup {
    const pathIsAnother =
      settled.searchPath !== undefined &&
      settled.searchPath === this.latest?.searchPath &&
      this.#keeper.pathSinceMs > this.#startedMs;
    if (!this.#changing && this.#renames.length === 0 && !pathIsAnother) return settled;
    const known = this.#renamed.get(settled) ?? {
      ...settled,
      // What RESET brings back is what the role or database had when this session started.
      ...(pathIsAnother ? { searchPath: undefined } : {}),
      renames: this.#renames,
      ...(this.#changing ? { unsettled: true } : {}),
    };
    this.#renamed.set(settled, known);
    return known;
  }

  /** A statement that does this is about to run. What a transaction has changed shows only when it is over. */
  seen(facts: SqlFacts): void {
    const changes = facts.opaque || facts.effects.some((effect) => CHANGES.has(effect)) || endsPrepared(facts);
    if (!changes && !this.#changing) return;
    if (!this.#changing || this.user()?.inTransaction !== true) this.#changed();
    if (!this.#changing) this.#renamed = new WeakMap();
    this.#changing = true;
  }

  /** The same, with all that the catalogue told of it: what it calls may change more than its text shows. */
  completed(facts: SqlFacts): void {
    this.#remember(facts.uses?.renames ?? []);
    this.seen(facts);
  }

  /** The server is ready and no transaction is open: what was changed before shows from now on. */
  idle(): void {
    if (!this.#changing) return;
    this.#changing = this.user()?.busy === true;
    if (!this.#changing) {
      this.#renames = [];
      this.#renamed = new WeakMap();
    }
    this.#changed();
  }

  #remember(renames: readonly SqlRename[]): void {
    // One too many is enough to tell that there are too many.
    if (this.#renames.length > MAX_RENAMES) return;
    const all = joinedRenames(this.#renames, renames);
    if (all === this.#renames) return;
    this.#renames = all;
    this.#renamed = new WeakMap();
  }

  #changed(): void {
    // A keeper that was forgotten meanwhile serves this session still.
    this.#keeper.changed();
    this.keepers.changed(this.connection, this.own.database);
  }
}

import { HoopError, messageOf } from '../../../core/errors.js';
import type { ConnectionResource } from '../../../core/resources.js';
import { readCatalog, type CatalogSnapshot } from './catalog.js';
import { dialUpstream } from './dial-upstream.js';

export interface CatalogReaderOptions {
  readonly connection: ConnectionResource;
  readonly credential: { readonly user: string; readonly password: string | undefined };
  readonly database: string;
  nowMs(): number;
}

/** Effects after which relations and columns may be others than were read. */
const CHANGES = new Set(['create', 'alter', 'drop', 'do', 'call', 'dynamic', 'extension', 'stored-code', 'other']);

/** Keeps one session's view of the catalogue fresh: at most `catalogTtl` old, and read anew after DDL. */
export class CatalogReader {
  snapshot: CatalogSnapshot | undefined;
  #names: readonly string[] = [];
  #stale = true;
  /** DDL has been let through: what it did shows once it is done. */
  #changing = false;
  #reading: Promise<void> | undefined;

  constructor(private readonly options: CatalogReaderOptions) {}

  get database(): string {
    return this.options.database;
  }

  /** Column names that masks ask for; `*` for all. */
  wants(names: readonly string[]): void {
    this.#names = [...new Set(names)].sort();
    this.#stale = true;
  }

  /** A statement with these effects is about to run. */
  seen(effects: readonly string[]): void {
    if (this.#changing) this.#stale = true;
    this.#changing = effects.some((effect) => CHANGES.has(effect));
  }

  /**
   * @returns undefined when what is known is fresh; else a promise for the reading, which rejects where
   * the catalogue can't be read: a mask that can't be placed blocks
   */
  refresh(): Promise<void> | undefined {
    const { connection, credential, database } = this.options;
    const nowMs = (): number => this.options.nowMs();
    const fresh =
      this.snapshot !== undefined && !this.#stale && nowMs() - this.snapshot.readAtMs < connection.catalogTtlMs;
    if (fresh) return undefined;
    this.#reading ??= dialUpstream(connection)
      .then((socket) => readCatalog(socket, { credential, database }, this.#names, nowMs))
      .then(
        (snapshot) => {
          this.snapshot = snapshot;
          this.#stale = false;
        },
        (error: unknown) => {
          throw new HoopError('upstream_unreachable', 'the catalogue could not be read, so columns can not be masked', {
            why: messageOf(error),
          });
        },
      )
      .finally(() => {
        this.#reading = undefined;
      });
    return this.#reading;
  }
}

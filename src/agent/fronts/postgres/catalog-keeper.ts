import type { Socket } from 'node:net';
import { HoopError, messageOf } from '../../../core/errors.js';
import type { Catalog } from '../../../protocols/postgres/catalog/types.js';
import { withFreshPassword, type OwnSession } from './own-connection.js';
import { readCatalog } from './read-catalog.js';

export interface CatalogKeeperOptions {
  readonly session: OwnSession;
  /** How long a reading counts, in ms. */
  readonly ttlMs: number;
  dial(): Promise<Socket>;
  /** Monotonic milliseconds. */
  nowMs(): number;
}

interface Reading {
  readonly startedMs: number;
  readonly catalog: Promise<Catalog>;
  /** Something may have changed since it began. */
  outdated: boolean;
}

/**
 * Keeps what is known of one database, as one credential sees it, for all sessions that use both: read when
 * it is first needed, at most `ttlMs` old, one reading at a time.
 */
export class CatalogKeeper {
  #catalog: Catalog | undefined;
  #readAtMs = 0;
  #stale = true;
  #pathSinceMs = 0;
  #reading: Reading | undefined;

  constructor(private readonly options: CatalogKeeperOptions) {}

  /** What was read last, however old; undefined before the first reading. */
  get latest(): Catalog | undefined {
    return this.#catalog;
  }

  /** Sessions that started later have the search path that it tells of: the credential's was another before. */
  get pathSinceMs(): number {
    return this.#pathSinceMs;
  }

  /**
   * The catalogue, at once where what is known still counts. Past half of its time it is read anew beside, so that
   * the next statement need not wait.
   *
   * A promise rejects with HoopError upstream_unreachable: what can't be looked up can't be judged.
   */
  current(): Catalog | Promise<Catalog> {
    const ageMs = this.options.nowMs() - this.#readAtMs;
    if (this.#catalog === undefined || this.#stale || ageMs >= this.options.ttlMs) return this.#renewed();
    if (ageMs * 2 > this.options.ttlMs) this.ahead();
    return this.#catalog;
  }

  /** Reads anew if nobody does yet; nobody waits for it, and whoever then needs it learns of a failure. */
  ahead(): void {
    this.#begin().catalog.catch(() => undefined);
  }

  /** Relations or routines may be others than were read. */
  changed(): void {
    this.#stale = true;
    if (this.#reading !== undefined) this.#reading.outdated = true;
  }

  async #renewed(): Promise<Catalog> {
    // What began before the last change may have missed it.
    if (this.#reading?.outdated === true) await this.#reading.catalog.catch(() => undefined);
    return this.#begin().catalog;
  }

  #begin(): Reading {
    if (this.#reading !== undefined) return this.#reading;
    const reading: Reading = {
      startedMs: this.options.nowMs(),
      outdated: false,
      catalog: this.#read().then(
        (catalog) => {
          const before = this.#catalog?.searchPath ?? catalog.searchPath;
          if (JSON.stringify(before) !== JSON.stringify(catalog.searchPath)) this.#pathSinceMs = reading.startedMs;
          this.#catalog = catalog;
          this.#readAtMs = reading.startedMs;
          this.#stale = reading.outdated;
          this.#reading = undefined;
          return catalog;
        },
        (error: unknown) => {
          this.#reading = undefined;
          throw new HoopError('upstream_unreachable', 'the catalogue of the database could not be read', {
            why: messageOf(error),
          });
        },
      ),
    };
    this.#reading = reading;
    return reading;
  }

  async #read(): Promise<Catalog> {
    const { session } = this.options;
    const place = JSON.stringify([session.credential.user, session.database]);
    const now = await withFreshPassword(session);
    return readCatalog(await this.options.dial(), now, place, this.#catalog);
  }
}

import type { NameLookup } from '../catalog/types.js';
import { ANYTHING } from './derivation.js';
import type { TextLineage, Touched } from './text-lineage.js';
import type { Output } from './scope.js';
import type { Made, SessionNames } from './session-names.js';

/** What is held under a name of a prepared statement or cursor; undefined where nobody can tell. */
export type Held = (kind: 'prepared' | 'cursor', name: string) => readonly Output[] | undefined;

/** Names remembered before nobody can tell any more. */
const MAX_NAMES = 1_000;

/**
 * What a session's own statements leave behind for later ones: cursors, and relations that the
 * catalogue may not show before the transaction is over. Nothing is forgotten that might still be there.
 */
export class SessionMemory {
  readonly #cursors = new Map<string, readonly Output[]>();
  readonly #made = new Map<string, readonly Made[]>();
  #overfull = false;
  #unreadCode = false;
  readonly #touched = new TouchedRelations();
  readonly #byCursors = new TouchedRelations();

  /** What ran in this session so far, triggers that wait for the end of the transaction included. */
  get touched(): Touched {
    return this.#touched;
  }

  /** What cursors that may be open read when they are fetched from. */
  get touchedByCursors(): Touched {
    return this.#byCursors;
  }

  /** Has this session made code that nobody could read? It may run with any statement. */
  get madeUnreadCode(): boolean {
    return this.#unreadCode;
  }

  names(lookup: NameLookup): SessionNames {
    if (this.#made.size === 0 && !this.#overfull) return lookup;
    return { searchPath: lookup.searchPath, made: (name) => this.#madeAs(name) };
  }

  #madeAs(name: string): readonly Made[] {
    return this.#made.get(name) ?? (this.#overfull ? [{ kind: 'view', name }] : []);
  }

  /**
   * What the names in these texts stand for as they are run. A prepared statement is held by a text among them.
   *
   * @param unseen something in the first may give its names to other statements before it comes to them
   */
  held(lineages: readonly TextLineage[], unseen: boolean): Held {
    const inTexts = lineages.flatMap(({ statements }) => statements);
    const cursors = new Map(this.#cursors);
    return (kind, name) => {
      if (unseen) return undefined;
      const here = inTexts.flatMap(({ holds }) => (holds?.kind === kind && holds.name === name ? [holds.output] : []));
      if (kind === 'cursor') {
        const before = cursors.get(name) ?? [];
        return before.length + here.length === 0 ? undefined : [...before, ...here];
      }
      // What was prepared out of sight may be anything.
      if (lineages.slice(1).some(({ statements }) => statements.length === 0)) return undefined;
      // Statements named by a Parse message are their whole text.
      const whole = lineages.slice(1).flatMap((lineage) => lineage.statements.flatMap(({ output }) => output ?? []));
      return whole.length + here.length === 0 ? undefined : [...here, ...whole];
    };
  }

  /** This text is about to run. */
  ran(lineage: TextLineage): void {
    this.#touched.add(lineage);
    if (lineage.callsRoutines || lineage.statements.some(({ holds }) => holds?.kind === 'cursor'))
      this.#byCursors.add(lineage);
    // Code may close a cursor and open another under its name.
    if (lineage.callsRoutines) this.#cursors.clear();
    for (const made of lineage.made) this.#remember(made);
    for (const { holds } of lineage.statements) {
      if (holds?.kind === 'cursor')
        this.#cursors.set(holds.name, added(this.#cursors.get(holds.name), holds.output, [UNKNOWN]));
    }
    if (this.#cursors.size > MAX_NAMES) this.#cursors.clear();
  }

  #remember(made: Made): void {
    const { kind, name } = made;
    // What nobody could read may run unseen, by a trigger or an operator.
    if (kind === 'routine' && made.body === undefined) this.#unreadCode = true;
    const known = this.#made.get(name) ?? [];
    if (kind === 'table' && known.some((one) => one.kind === 'table')) return;
    if (known.length === 0 && this.#made.size >= MAX_NAMES) this.#overfull = true;
    else
      this.#made.set(
        name,
        added(known, made, [
          { kind: 'view', name },
          { kind: 'routine', name },
        ]),
      );
  }
}

class TouchedRelations implements Touched {
  readonly touched = new Set<number>();
  touchesAnything = false;

  add({ touched, touchesAnything }: Touched): void {
    for (const relation of touched) this.touched.add(relation);
    this.touchesAnything ||= touchesAnything;
  }
}

/** What a name that stood for more than that may stand for. */
const MAX_MEANINGS = 16;
const UNKNOWN: Output = { columns: [{ name: '', value: ANYTHING }], exact: false };

function added<Kept>(known: readonly Kept[] | undefined, one: Kept, unknown: readonly Kept[]): readonly Kept[] {
  if (known === undefined || known.length === 0) return [one];
  if (known.includes(one)) return known;
  return known.length >= MAX_MEANINGS ? unknown : [...known, one];
}

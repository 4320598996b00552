import type { NameLookup } from '../catalog/types.js';
import { ANYTHING } from './derivation.js';
import type { Computed } from './uses.js';
import type { TextLineage, Touched } from './text-lineage.js';
import type { Output } from './scope.js';
import type { Made, SessionNames } from './session-names.js';

/** What is held under a name of a prepared statement or cursor; undefined where nobody can tell. */
export type Held = (kind: 'prepared' | 'cursor', name: string) => readonly Output[] | undefined;

interface Cursor {
  readonly outputs: readonly Output[];
  /** The server has said, after so many doubts, that it opened just this one. */
  readonly openSince?: number;
}

/** Names remembered before nobody can tell any more. */
const MAX_NAMES = 1_000;

/**
 * What a session's own statements leave behind for later ones: cursors, and relations that the
 * catalogue may not show before the transaction is over. Nothing is forgotten that might still be there.
 */
export class SessionMemory {
  readonly #cursors = new Map<string, Cursor>();
  /** How often code ran that may give names of cursors to others. */
  #doubts = 0;
  /** What ran where the catalogue might not show all of it. */
  readonly #unsettled = new WeakSet<TextLineage>();
  readonly #made = new Map<string, readonly Made[]>();
  #overfull = false;
  #unreadCode = false;
  readonly #touched = new TouchedRelations();
  readonly #byCursors = new TouchedRelations();
  readonly #computedByCursors = new Set<Computed>();

  /** What ran in this session so far, triggers that wait for the end of the transaction included. */
  get touched(): Touched {
    return this.#touched;
  }

  /** What cursors that may be open read when they are fetched from. */
  get touchedByCursors(): Touched {
    return this.#byCursors;
  }

  /** What may fail in cursors that may be open. */
  get computedByCursors(): ReadonlySet<Computed> {
    return this.#computedByCursors;
  }

  /** Has this session made code that nobody could read? It may run with any statement. */
  get madeUnreadCode(): boolean {
    return this.#unreadCode;
  }

  names(lookup: NameLookup): SessionNames {
    if (this.#made.size === 0 && !this.#overfull) return lookup;
    return { searchPath: lookup.searchPath, made: (name) => this.#madeAs(name) };
  }

  /** Has the session made or changed nothing that the catalogue may not show yet? */
  isSettled({ unsettled }: NameLookup): boolean {
    return unsettled !== true && this.#made.size === 0 && !this.#overfull;
  }

  #madeAs(name: string): readonly Made[] {
    return this.#made.get(name) ?? (this.#overfull ? [{ kind: 'view', name }] : []);
  }

  /**
   * What the names in these texts stand for as they are run. A prepared statement is held by a text among them.
   *
   * @param unseen they run code that may give names to others out of sight
   */
  held(lineages: readonly TextLineage[], unseen: boolean): Held {
    const [first, ...executed] = lineages;
    const inTexts = lineages.flatMap(({ statements }) => statements);
    const cursors = new Map(this.#cursors);
    const doubts = this.#doubts;
    // A name in the same message may be looked up behind that code.
    const doubtful = (unseen || first?.callsRoutines === true) && (first?.statements.length ?? 0) > 1;
    return (kind, name) => {
      if (doubtful) return undefined;
      const here = inTexts.flatMap(({ holds }) => (holds?.kind === kind && holds.name === name ? [holds.output] : []));
      if (kind === 'cursor') {
        // The server would have refused to declare it where the name stood for another.
        if (first !== undefined && declaresFirst(first, name)) return here;
        const before = cursors.get(name);
        if (doubts > 0 && before?.openSince !== doubts) return undefined;
        const outputs = [...(before?.outputs ?? []), ...here];
        return outputs.length === 0 ? undefined : outputs;
      }
      // What was prepared out of sight may be anything.
      if (executed.some(({ statements }) => statements.length === 0)) return undefined;
      // Statements named by a Parse message are their whole text.
      const whole = executed.flatMap((lineage) => lineage.statements.flatMap(({ output }) => output ?? []));
      return whole.length + here.length === 0 ? undefined : [...here, ...whole];
    };
  }

  /**
   * This text is about to run.
   *
   * @param unseen it runs code that may give names of cursors to others out of sight
   * @returns how often such code has run, this text included
   */
  ran(lineage: TextLineage, unseen: boolean, lookup: NameLookup): number {
    this.#touched.add(lineage);
    const declares = lineage.statements.flatMap(({ holds }) => (holds?.kind === 'cursor' ? [holds] : []));
    if (unseen) this.#byCursors.touchesAnything = true;
    if (lineage.callsRoutines || declares.length > 0) {
      this.#byCursors.add(lineage);
      this.mayFetch(lineage.computed);
    }
    if (unseen || lineage.callsRoutines) this.#doubts += 1;
    for (const made of lineage.made) this.#remember(made);
    // Of what a cursor's documents were made nobody can tell later.
    if (!this.isSettled(lookup)) this.#unsettled.add(lineage);
    for (const { name, output } of declares) {
      const kept = this.#keptOf(lineage, output);
      this.#cursors.set(name, { outputs: added(this.#cursors.get(name)?.outputs, kept, [UNKNOWN]) });
    }
    if (this.#cursors.size > MAX_NAMES) this.#cursors.clear();
    return this.#doubts;
  }

  #keptOf(lineage: TextLineage, output: Output): Output {
    return this.#unsettled.has(lineage) ? withoutDocuments(output) : output;
  }

  /** A cursor or portal that works these out may be fetched from later. */
  mayFetch(computed: readonly Computed[]): void {
    if (this.#computedByCursors.size + computed.length > MAX_NAMES) this.#computedByCursors.add(ANY_COMPUTED);
    else for (const one of computed) this.#computedByCursors.add(one);
  }

  /**
   * The server has opened the one cursor that this text declares: the name was free. Beside other statements it counts
   * where none runs code that may give the name to another.
   *
   * @param doubts as `ran` said of it
   * @param unseen as `ran` was told
   */
  opened(lineage: TextLineage, doubts: number, unseen: boolean): void {
    const { statements, callsRoutines } = lineage;
    const declared = statements.flatMap(({ holds }) => (holds?.kind === 'cursor' ? [holds] : []));
    const [only] = declared;
    if (only === undefined || declared.length > 1) return;
    if (statements.length === 1 || !(unseen || callsRoutines))
      this.#cursors.set(only.name, { outputs: [this.#keptOf(lineage, only.output)], openSince: doubts });
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

function withoutDocuments({ columns, exact }: Output): Output {
  return { columns: columns.map(({ json: _, ...column }) => column), exact };
}

/** Is the cursor declared in the text before any of its statements fetches from it? */
function declaresFirst({ statements }: TextLineage, name: string): boolean {
  const use = statements.find(({ holds, runs }) =>
    [holds, runs].some((one) => one?.kind === 'cursor' && one.name === name),
  );
  return use?.holds?.kind === 'cursor';
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
const ANY_COMPUTED: Computed = { value: ANYTHING, costly: false };
const UNKNOWN: Output = { columns: [{ name: '', value: ANYTHING }], exact: false };

function added<Kept>(known: readonly Kept[] | undefined, one: Kept, unknown: readonly Kept[]): readonly Kept[] {
  if (known === undefined || known.length === 0) return [one];
  if (known.includes(one)) return known;
  return known.length >= MAX_MEANINGS ? unknown : [...known, one];
}

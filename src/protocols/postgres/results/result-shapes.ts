import { copyBytes } from '../../../core/copy-bytes.js';
import type { MaskCounts } from '../../../core/mask.js';
import { parseRowDescription, type ResultColumn } from './columns.js';
import type { HandlerHost } from '../handler-host.js';
import { PlanMasker } from '../originals/plan-masker.js';
import type { RowMasking } from './row-masker.js';
import type { Run } from '../statements/run.js';
import { rowMaskers, type ColumnRulesOfResult, type RowMaskers, type SessionMasks } from '../masks.js';

/** Descriptions remembered for one session: drivers run the same few statements over and over. */
const MAX_KNOWN = 16;
/** Longer descriptions are read anew each time. */
const MAX_BYTES = 2048;

interface Prepared extends RowMaskers {
  readonly masks: SessionMasks;
  readonly known: unknown;
  readonly rules: ColumnRulesOfResult;
  readonly counts: MaskCounts;
}

/**
 * What the results of one session look like: a RowDescription that came before is not read again, and its
 * maskers are those made then, as long as masks and the rules for its columns are the same.
 */
export class ResultShapes {
  readonly #known: { readonly bytes: Uint8Array; readonly columns: readonly ResultColumn[] }[] = [];
  #next = 0;
  readonly #prepared = new WeakMap<readonly ResultColumn[], Prepared>();

  /** The columns of a RowDescription; undefined when it is malformed. The same array for the same bytes, mostly. */
  columns(message: Uint8Array): readonly ResultColumn[] | undefined {
    for (const known of this.#known) if (sameBytes(known.bytes, message)) return known.columns;
    const columns = parseRowDescription(message);
    if (columns === undefined || message.length > MAX_BYTES) return columns;
    this.#known[this.#next] = { bytes: copyBytes(message), columns };
    this.#next = (this.#next + 1) % MAX_KNOWN;
    return columns;
  }

  /** The same of a run's result. @param completed commands of the running simple query that are done */
  ofRun(
    host: HandlerHost,
    run: Run,
    columns: readonly ResultColumn[],
    completed: number,
  ): Omit<ReturnType<ResultShapes['maskers']>, 'client'> & { readonly client: RowMasking | undefined } {
    const masks = host.masks();
    const nth = host.expected.front()?.kind === 'query' ? completed : undefined;
    const maskers = this.maskers(masks, columns, masks.columns?.ofResult(run, nth, columns));
    const { swaps = [] } = run;
    return swaps.length === 0 ? maskers : { ...maskers, client: new PlanMasker(maskers.client, swaps) };
  }

  /** The maskers of one result, and the counts that the client's adds to, which are empty. */
  maskers(
    masks: SessionMasks,
    columns: readonly ResultColumn[],
    rules: ColumnRulesOfResult,
  ): RowMaskers & { readonly counts: MaskCounts } {
    const known = masks.known();
    const made = this.#prepared.get(columns);
    if (made?.masks === masks && made.known === known && sameRules(made.rules, rules)) {
      made.counts.clear();
      return made;
    }
    const counts: MaskCounts = new Map();
    const prepared = { ...rowMaskers(masks, columns, rules, counts), masks, known, rules, counts };
    this.#prepared.set(columns, prepared);
    return prepared;
  }
}

function sameRules(one: ColumnRulesOfResult, other: ColumnRulesOfResult): boolean {
  return (
    one === other || (one?.length === other?.length && one?.every((rule, index) => rule === other?.[index]) === true)
  );
}

function sameBytes(one: Uint8Array, other: Uint8Array): boolean {
  if (one.length !== other.length) return false;
  for (let index = 0; index < one.length; index += 1) if (one[index] !== other[index]) return false;
  return true;
}

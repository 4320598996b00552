import type { RequestImpact } from '../../../core/approval.js';
import type { HeldStatement } from '../../../protocols/contract.js';
import { estimatedRows } from '../../../protocols/postgres/trial/estimate.js';
import type { Reached, ReachedTable } from '../../../protocols/postgres/trial/reached-tables.js';
import { notTakenBack } from '../../../protocols/postgres/trial/takes-back.js';
import { trialText } from '../../../protocols/postgres/trial/trial-text.js';
import { rowTexts } from '../../../protocols/postgres/results/row-texts.js';
import { refusalWords } from './refusal-words.js';
import type { TrialSession } from './trial-session.js';

/** What of a request's impact is found out. */
type Estimate = Pick<RequestImpact, 'estimatedRows' | 'unknown'>;

/**
 * What a held statement would touch: the planner's estimate, never a run, and sizes as the server keeps them.
 *
 * @param trial in a transaction that is read only
 */
export async function findImpact(trial: TrialSession, held: HeldStatement, reached: Reached): Promise<RequestImpact> {
  const estimate = await estimated(trial, held);
  const { tables, uncounted } = await sized(trial, reached.tables);
  const notes = [
    ...(estimate.estimatedRows === undefined ? [] : uncounted).map(
      (name) => `${name} was never analysed: the estimate is a guess`,
    ),
    ...reached.notes,
  ];
  return {
    ...estimate,
    ...(tables.length === 0 ? {} : { tables }),
    ...(notes.length === 0 ? {} : { notes }),
  };
}

async function estimated(trial: TrialSession, held: HeldStatement): Promise<Estimate> {
  // Planning runs functions that call themselves immutable: what may not be tried out is not planned either.
  const not = notTakenBack(held.facts);
  if (not !== undefined) return { unknown: not };
  const shape = trialText(held.text);
  if (shape === undefined) return { unknown: 'it neither reads nor changes rows' };
  await trial.query('savepoint hoop_explain');
  const answer = await trial.run(`explain (format json) ${shape.text}`, held, 0);
  if (answer.refused !== undefined) {
    await trial.query('rollback to savepoint hoop_explain');
    return { unknown: `the server could not plan it: ${refusalWords(answer.refused)}` };
  }
  const rows = estimatedRows(planIn(answer.rows));
  return rows === undefined ? { unknown: 'the server’s plan could not be read' } : { estimatedRows: rows };
}

function planIn(rows: readonly Uint8Array[]): string {
  return rows.map((row) => rowTexts(row)?.[0] ?? '').join('\n');
}

/** A partitioned table is as large as its parts; a table that was never analysed has no known number of rows. */
async function sized(
  trial: TrialSession,
  tables: readonly ReachedTable[],
): Promise<{ readonly tables: Required<RequestImpact>['tables']; readonly uncounted: readonly string[] }> {
  if (tables.length === 0) return { tables: [], uncounted: [] };
  const oids = tables.map(({ oid }) => String(oid)).join(', ');
  const rows = await trial.tryQuery(`select c.oid, pg_catalog.sum(k.reltuples)::int8, pg_catalog.min(k.reltuples) >= 0,
      pg_catalog.sum(pg_catalog.pg_total_relation_size(k.oid))::int8
    from pg_catalog.pg_class c left join lateral pg_catalog.pg_partition_tree(c.oid) t on t.isleaf
    join pg_catalog.pg_class k on k.oid = coalesce(t.relid, c.oid)
    where c.oid in (${oids}) and k.relkind in ('r', 'm') group by c.oid`);
  const sizes = new Map((rows ?? []).map(([oid, ...size]) => [oid, size]));
  const uncounted = tables.filter(({ oid, via }) => via === 'statement' && sizes.get(String(oid))?.[1] === 'f');
  const told = tables.map(({ oid, name, via }) => {
    const [count, counted, bytes] = sizes.get(String(oid)) ?? [];
    return {
      name,
      via,
      ...(typeof count === 'string' && counted === 't' ? { rows: Number(count) } : {}),
      ...(typeof bytes === 'string' ? { bytes: Number(bytes) } : {}),
    };
  });
  return { tables: told, uncounted: uncounted.map(({ name }) => name) };
}

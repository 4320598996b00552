import type { PreviewRows, RequestPreview } from '../../../core/approval.js';
import type { HeldStatement } from '../../../protocols/contract.js';
import { parseRowDescription } from '../../../protocols/postgres/results/columns.js';
import { rowTexts } from '../../../protocols/postgres/results/row-texts.js';
import { leftBehind, unreadFunctions } from '../../../protocols/postgres/trial/takes-back.js';
import { literal, quoted, type TrialText } from '../../../protocols/postgres/trial/trial-text.js';
import type { OwnAnswer } from './own-connection.js';
import { refusalWords } from './refusal-words.js';
import type { TrialSession } from './trial-session.js';

/** Rows of each sample. */
const SAMPLE_ROWS = 10;

/** What a trial needs besides its transaction. */
export interface Trial {
  readonly held: HeldStatement;
  readonly shape: TrialText;
  /** Object ids of the tables that it changes. */
  readonly changed: readonly number[];
  /** Rows of a text's answer as they may be shown; undefined where they can't be masked. */
  sample(text: string, answer: Pick<OwnAnswer, 'description' | 'rows'>): PreviewRows | undefined;
}

/**
 * Runs a held statement in a transaction that its caller rolls back, and tells what it did.
 *
 * @param session in a transaction that may write
 */
export async function tryOut(session: TrialSession, trial: Trial): Promise<RequestPreview> {
  const { held } = trial;
  const unread = await session.query(unreadFunctions(held.facts, trial.changed));
  if (unread.length > 0)
    return {
      notes: [],
      refused: `nobody can tell what these functions do: ${unread.map(([name]) => name).join(', ')}`,
    };
  await session.query('savepoint hoop_statement');
  const notes: string[] = [...leftBehind(held.basis, held.facts)];
  const ran = await runShowing(session, trial, notes);
  const rows = ran.answer.refused ?? (await session.countAll(ran.answer));
  if (typeof rows === 'string') return { notes: [...notes, `as things are it fails: ${refusalWords(rows)}`] };
  const deferred = await session.checkDeferred();
  if (deferred !== undefined) notes.push(`it runs, but its commit fails: ${refusalWords(deferred)}`);
  return { rows, ...(await samples(session, trial, ran, notes)), notes };
}

interface Ran {
  readonly text: string;
  readonly answer: OwnAnswer;
}

/** With the rows that it changes, where the credential may read them. */
async function runShowing(session: TrialSession, { held, shape }: Trial, notes: string[]): Promise<Ran> {
  if (shape.returning !== undefined) {
    const answer = await session.run(shape.returning, held, SAMPLE_ROWS);
    if (answer.refused === undefined) return { text: shape.returning, answer };
    await session.query('rollback to savepoint hoop_statement');
    const again = await session.run(shape.text, held, SAMPLE_ROWS);
    if (again.refused === undefined) notes.push(`its rows can not be shown: ${refusalWords(answer.refused)}`);
    return { text: shape.text, answer: again };
  }
  return { text: shape.text, answer: await session.run(shape.text, held, SAMPLE_ROWS) };
}

async function samples(
  session: TrialSession,
  trial: Trial,
  { text, answer }: Ran,
  notes: string[],
): Promise<Pick<RequestPreview, 'before' | 'after'>> {
  const { shape, held } = trial;
  if (shape.kind === 'select' && held.facts.writes.length > 0)
    notes.push('the count is of the rows that it gives, not of those that it changes');
  if (answer.description === undefined || answer.rows.length === 0) return {};
  const shown = trial.sample(text, answer);
  if (shown === undefined) {
    notes.push('its rows can not be shown: they can not be masked');
    return {};
  }
  if (answer.suspended) notes.push(`samples are of the first ${String(answer.rows.length)} rows`);
  if (shape.kind === 'delete') return { before: shown };
  if (shape.upsert) notes.push('rows that were there before are changed, others are new: what they were is not shown');
  if (shape.kind !== 'update') return { after: shown };
  const before = await beforeOf(session, trial, answer);
  if (typeof before === 'string') notes.push(`what the rows are now is not shown: ${before}`);
  return { ...(typeof before === 'object' ? { before } : {}), after: shown };
}

/** The changed rows as they were: found by their primary key once the change is rolled back. Or why not. */
async function beforeOf(session: TrialSession, trial: Trial, after: OwnAnswer): Promise<PreviewRows | string> {
  const columns = parseRowDescription(after.description as Uint8Array) ?? [];
  const table = columns.find(({ tableOid }) => tableOid !== 0)?.tableOid ?? 0;
  await session.query('rollback to savepoint hoop_statement');
  const keys = await session.query(`select a.attnum, a.attname, i.indrelid::regclass from pg_catalog.pg_index i
    join pg_catalog.pg_attribute a on a.attrelid = i.indrelid and a.attnum = any (i.indkey)
    where i.indrelid = ${String(table)} and i.indisprimary and i.indisvalid order by 1`);
  const name = keys[0]?.[2];
  if (typeof name !== 'string') return 'the table has no primary key';
  const set = trial.held.basis.uses?.targets.flatMap(({ sets }) => sets ?? []) ?? [];
  if (keys.some(([, key]) => set.includes(key ?? ''))) return 'its primary key changes';
  const places = keys.map(([attribute]) =>
    columns.findIndex((column) => column.tableOid === table && column.attribute === Number(attribute)),
  );
  if (places.includes(-1)) return 'the statement does not give the primary key';
  const keyOf = (row: Uint8Array, at: readonly number[]): readonly (string | null)[] | undefined => {
    const texts = rowTexts(row);
    return texts && at.map((place) => texts[place] ?? null);
  };
  const wanted = after.rows.map((row) => keyOf(row, places) ?? []);
  const tuples = wanted.map((key) => `(${key.map((cell) => literal(cell ?? '')).join(', ')})`);
  const text = `select * from ${name} where (${keys.map(([, key]) => quoted(key ?? '')).join(', ')}) in (${tuples.join(', ')})`;
  const answer = await session.run(text, { ...trial.held, types: [], formats: [], values: [] }, SAMPLE_ROWS);
  if (answer.refused !== undefined) return refusalWords(answer.refused);
  const own = parseRowDescription(answer.description ?? new Uint8Array()) ?? [];
  const at = keys.map(([attribute]) => own.findIndex((column) => column.attribute === Number(attribute)));
  const byKey = new Map(answer.rows.map((row) => [JSON.stringify(keyOf(row, at)), row]));
  const rows = wanted.flatMap((key) => byKey.get(JSON.stringify(key)) ?? []);
  return trial.sample(text, { description: answer.description, rows }) ?? 'they can not be masked';
}

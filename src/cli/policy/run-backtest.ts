import type { Resources } from '../../config/resources.js';
import { HoopError } from '../../core/errors.js';
import { loadGrammar } from '../../protocols/postgres/facts/analyze.js';
import type { RecordedQuestion } from '../../recording/reading/questions.js';
import { Backtest, type BacktestResult } from './backtest.js';

const TELL_EVERY = 50_000;

/**
 * Judges all questions again.
 *
 * @param progress told how many there were so far, now and then
 */
export async function runBacktest(
  resources: Resources,
  questions: AsyncIterable<readonly RecordedQuestion[]>,
  progress: (judged: number) => void,
): Promise<BacktestResult> {
  // For recordings of versions that kept no facts.
  await loadGrammar();
  const backtest = new Backtest(resources);
  let told = 0;
  for await (const batch of questions) {
    backtest.take(batch);
    if (backtest.judged - told < TELL_EVERY) continue;
    told = backtest.judged;
    progress(told);
  }
  return backtest.result();
}

/** Why a backtest fails where changes are to fail it; undefined where none is. */
export function changeFailure({ changed, judged, changes }: BacktestResult): HoopError | undefined {
  const [first] = changes;
  if (changed === 0 || first === undefined) return undefined;
  const by = first.to.rule === '' ? '' : ` by ${first.to.rule}`;
  return new HoopError('verdicts_differ', `${String(changed)} of ${String(judged)} verdicts differ`, {
    why: `${String(first.count)} went from ${first.from.action} to ${first.to.action}${by}`,
  });
}

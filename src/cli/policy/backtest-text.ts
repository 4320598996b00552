import type { Colours } from '../colours.js';
import type { BacktestResult } from './backtest.js';
import type { Change, Told } from './change-tally.js';

/** Names that are listed of each group; how many more there are is said. */
const MAX_NAMES = 5;

/** What differs, by groups, for people. */
export function backtestText(result: BacktestResult, colours: Colours): string {
  const { judged, sessions, changed, otherRule, changes, unjudged } = result;
  const changedText =
    changed === 0 ? colours.green('no verdict differs') : colours.red(`verdicts that differ: ${grouped(changed)}`);
  const more = otherRule === 0 ? '' : `, by another rule: ${grouped(otherRule)}`;
  const skipped = Object.entries(unjudged);
  return [
    `${grouped(judged)} statements of ${grouped(sessions)} sessions judged again: ${changedText}${more}`,
    ...changes.flatMap((change) => ['', ...changeLines(change, colours)]),
    ...(skipped.length === 0 ? [] : ['', colours.bold('not judged again')]),
    ...skipped.map(([why, count]) => `  ${grouped(count)}  ${why}`),
  ].join('\n');
}

function changeLines({ from, to, count, users, connections, examples }: Change, colours: Colours): string[] {
  return [
    `${grouped(count)}  ${told(from, colours)} ${colours.dim('→')} ${told(to, colours)}`,
    `    users        ${names(users, colours)}`,
    `    connections  ${names(connections, colours)}`,
    ...examples.map(
      ({ session, statement, text }) =>
        `    ${colours.dim(`${session} #${String(statement)}`)}  ${colours.plain(text.replace(/\s+/g, ' '))}`,
    ),
  ];
}

function told({ action, rule }: Told, colours: Colours): string {
  const paint =
    action === 'block' ? colours.red(action) : action === 'allow' ? colours.green(action) : colours.yellow(action);
  return rule === '' ? paint : `${paint} by ${colours.bold(rule)}`;
}

function names(counts: Readonly<Record<string, number>>, colours: Colours): string {
  const all = Object.entries(counts);
  const shown = all.slice(0, MAX_NAMES).map(([name, count]) => `${colours.plain(name)} ${grouped(count)}`);
  const more = all.length > MAX_NAMES ? [`and ${String(all.length - MAX_NAMES)} more`] : [];
  return [...shown, ...more].join(', ');
}

function grouped(count: number): string {
  return count.toLocaleString('en-US');
}

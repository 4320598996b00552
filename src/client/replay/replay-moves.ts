import type { ReplayFrame } from '../../core/replay-frame.js';
import type { Landmark } from '../../recording/replay/block-index.js';
import type { ReplayEntry } from '../../recording/replay/entry.js';
import type { ReplayLog } from '../../recording/replay/log.js';
import { isLandmark } from './replay-window.js';

const SPEEDS = [0.25, 0.5, 1, 2, 4, 8, 16, 32, 64, 128];

/** The nearest event of a kind; undefined where there is none in this direction. */
export function nearest(
  log: ReplayLog,
  from: number,
  direction: 1 | -1,
  landmark: Landmark,
): Promise<number | undefined> {
  return log.find(from, direction, (entry) => isLandmark(entry, landmark), { landmark });
}

/**
 * The last event before a statement begins, so that the one before it is seen with its verdict and its rows: of the
 * next statement, or of the one before that which is shown.
 */
export async function statementEnd(log: ReplayLog, event: number, direction: 1 | -1): Promise<number> {
  if (direction === -1) return ((await nearest(log, event + 1, -1, 'statement')) ?? 1) - 1;
  const next = await nearest(log, event, 1, 'statement');
  const after = next === undefined ? undefined : await nearest(log, next, 1, 'statement');
  return (after ?? log.length) - 1;
}

/** The nearest event that `holds` is true of, if need be around the end and on; says so. */
export async function findAround(
  log: ReplayLog,
  from: number,
  direction: 1 | -1,
  holds: (entry: ReplayEntry) => boolean,
  signal: AbortSignal,
): Promise<{ readonly event: number | undefined; readonly message: string }> {
  const found = await log.find(from, direction, holds, { signal });
  if (found !== undefined || signal.aborted) return { event: found, message: '' };
  const event = await log.find(direction === 1 ? -1 : log.length, direction, holds, { signal });
  if (event === undefined) return { event, message: signal.aborted ? '' : 'not found' };
  return { event, message: direction === 1 ? 'from the start again' : 'from the end again' };
}

/** Twice or half of usual speeds; the ends stay. */
export function nextSpeed(speed: number, direction: 1 | -1): number {
  const further = direction === 1 ? SPEEDS.find((one) => one > speed) : SPEEDS.findLast((one) => one < speed);
  return further ?? speed;
}

/** Is there nothing to be drawn anew? */
export function sameFrame(one: ReplayFrame, other: ReplayFrame): boolean {
  const names = new Set([...Object.keys(one), ...Object.keys(other)]) as Set<keyof ReplayFrame>;
  return [...names].every((name) =>
    name === 'counts' ? JSON.stringify(one.counts) === JSON.stringify(other.counts) : one[name] === other[name],
  );
}

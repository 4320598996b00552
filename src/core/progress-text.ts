import type { FlowProgress } from './approval.js';

/** What is waited for, as one line: `dba (1 of 2), security (0 of 1)`; empty where nothing is known. */
export function progressText(progress: readonly FlowProgress[]): string {
  const entries = progress.flatMap((flow) => flow.entries);
  return entries
    .filter(({ given, count }) => given < count)
    .map(({ groups, given, count }) => `${groups.join(' or ')} (${String(given)} of ${String(count)})`)
    .join(', ');
}

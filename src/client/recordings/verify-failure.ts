import { HoopError } from '../../core/errors.js';
import type { VerifyResult } from './verify-recordings.js';

/** The first thing that does not hold, as the failure of the command; undefined where all does. */
export function verifyFailure(results: readonly VerifyResult[]): HoopError | undefined {
  const first = results.find(({ ok }) => !ok)?.breaks[0];
  if (first === undefined) return undefined;
  const event = first.seq === 0 ? '' : `, event ${String(first.seq)}`;
  const suggestion = 'the lists of an evidence bundle are proven with all of it: `hoop verify BUNDLE`';
  return new HoopError('verify_failed', `${first.kind}: ${first.file}${event}`, {
    why: first.message,
    ...(first.kind === 'no-recording' ? { suggestion } : {}),
  });
}

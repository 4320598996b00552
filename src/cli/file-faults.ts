import { HoopError } from '../core/errors.js';

/**
 * Tells every fault of resource files on a line of its own, as editors and compilers read them.
 *
 * @param tell takes one `FILE:LINE:COLUMN: …`; the caller escapes it
 * @returns what is left to say of an error that held such faults; any other error as it is
 */
export function tellFileFaults(error: unknown, tell: (fault: string) => void): unknown {
  if (!(error instanceof HoopError) || error.code !== 'config_invalid') return error;
  const faults = error.message.split('\n');
  const [first = ''] = faults;
  if (!/:\d+:\d+: /.test(first)) return error;
  for (const fault of faults) tell(fault);
  const count = faults.length === 1 ? 'a fault' : `${String(faults.length)} faults`;
  return new HoopError('config_invalid', `the resource files have ${count}`, { why: first });
}

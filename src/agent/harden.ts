import { writeFileSync } from 'node:fs';
import { url as inspectorUrl } from 'node:inspector';
import { HoopError } from '../core/errors.js';

/** Options of Node that open the process's memory to others: a debugger, heap dumps, reports. */
const REVEALING = /^--(?:inspect|debug|heapsnapshot|heap-prof|report-|diagnostic-report|abort-on-uncaught-exception)/;
/** What Linux writes of a process into a core dump, as a bit mask of kinds of memory: nothing. */
const CORE_FILTER = '/proc/self/coredump_filter';

/**
 * Closes what would show the agent's memory, which holds credentials and unmasked rows, to others on
 * the machine: the inspector, core dumps, diagnostic reports, files that others may read.
 *
 * @param options.nodeOptions NODE_OPTIONS of the environment
 * @throws HoopError `usage` where the process was started with the inspector or the like
 */
export function hardenProcess(options: { readonly nodeOptions: string; readonly execArgv: readonly string[] }): void {
  const revealing = [...options.execArgv, ...options.nodeOptions.split(/\s+/)].find((option) => REVEALING.test(option));
  if (revealing !== undefined || inspectorUrl() !== undefined) {
    const name = (revealing ?? '--inspect').split('=')[0] as string;
    throw new HoopError('usage', `the agent does not run with ${name}`, {
      why: 'it would show credentials and unmasked data to whoever can reach it',
      suggestion: 'start it without this option of Node; look into NODE_OPTIONS too',
    });
  }
  process.umask(0o077);
  // Without a listener this signal opens the inspector of a running process.
  process.on('SIGUSR1', () => undefined);
  if (process.report !== undefined) {
    process.report.reportOnFatalError = false;
    process.report.reportOnSignal = false;
    process.report.reportOnUncaughtException = false;
  }
  try {
    writeFileSync(CORE_FILTER, '0');
  } catch {
    // Not Linux: there is no way from within Node; start it under `ulimit -c 0` there.
  }
}

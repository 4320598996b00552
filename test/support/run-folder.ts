import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

/** Where a run tells its workers of its folder. */
export const RUN_FOLDER = 'HOOP_TEST_RUN_FOLDER';

/** A worker that has just ended takes its PostgreSQL along, whose hundred databases are a while to remove on a busy disk. */
const PATIENCE_MS = 180_000;

/** What lies in a folder, and below that; nothing where it goes meanwhile. */
function entriesOf(folder: string, depth = 2): readonly string[] {
  try {
    return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
      const path = join(folder, entry.name);
      return [path, ...(entry.isDirectory() && depth > 1 ? entriesOf(path, depth - 1) : [])];
    });
  } catch {
    return [];
  }
}

/** Command lines of processes that were told of the folder, or were given its files. Linux tells; others are not asked. */
function processesOf(folder: string): readonly string[] {
  const read = (pid: string, file: string): string => {
    try {
      return readFileSync(`/proc/${pid}/${file}`, 'utf8');
    } catch {
      return '';
    }
  };
  const parentOf = (pid: string): string => /\) \S (\d+)/.exec(read(pid, 'stat'))?.[1] ?? '';
  const isOurs = (pid: string): boolean =>
    pid !== '' && pid !== '0' && pid !== '1' && (pid === String(process.pid) || isOurs(parentOf(pid)));
  try {
    return readdirSync('/proc')
      .filter((pid) => /^\d+$/.test(pid))
      .filter((pid) => read(pid, 'environ').includes(folder) || read(pid, 'cmdline').includes(folder))
      .filter((pid) => !isOurs(pid))
      .map((pid) => `${pid} ${read(pid, 'cmdline').replaceAll('\0', ' ').slice(0, 200)}`);
  } catch {
    return [];
  }
}

const hoopFolders = (folder: string): Set<string> =>
  new Set(readdirSync(folder).filter((name) => /^hoop-/.test(name) && !name.startsWith('hoop-run-')));

/**
 * All that a run writes for a while lies in one folder, which goes with it, whatever failed. A run that leaves a
 * process or a file behind says so and fails.
 */
export default function makeRunFolder(): () => Promise<void> {
  const outside = tmpdir();
  const before = hoopFolders(outside);
  const folder = mkdtempSync(join(outside, 'hoop-run-'));
  // As the one around it: the account that runs PostgreSQL removes its own folder there.
  chmodSync(folder, 0o1777);
  process.env[RUN_FOLDER] = folder;
  process.env['TMPDIR'] = folder;
  return async () => {
    const left = async (): Promise<readonly string[]> => {
      const end = performance.now() + PATIENCE_MS;
      for (;;) {
        const found = [...processesOf(folder), ...entriesOf(folder)];
        if (found.length === 0 || performance.now() > end) return found;
        await delay(100);
      }
    };
    const told = await left();
    rmSync(folder, { recursive: true, force: true });
    // Told and no more: another program on this machine may have made them.
    const strays = [...hoopFolders(outside)].filter((name) => !before.has(name)).map((name) => join(outside, name));
    if (strays.length > 0) console.error(`new in ${outside} since the tests began:\n  ${strays.join('\n  ')}`);
    if (told.length === 0) return;
    console.error(`the tests left behind:\n  ${told.join('\n  ')}`);
    process.exitCode = 1;
  };
}

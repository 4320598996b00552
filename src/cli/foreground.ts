import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

/**
 * Is this process in the foreground of its terminal? A screen in the background (`hoop connect postgres &`) would be
 * stopped by the kernel as soon as it touches the terminal. Where the platform does not tell, yes.
 *
 * @see https://man7.org/linux/man-pages/man5/proc_pid_stat.5.html
 */
export function inForeground(platform: NodeJS.Platform = process.platform): boolean {
  try {
    if (platform === 'linux') {
      const stat = readFileSync('/proc/self/stat', 'utf8');
      // The program's name stands in brackets and may hold anything: fields are counted behind it.
      const [, , group, , , foreground] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
      return group === foreground;
    }
    if (platform === 'win32') return true;
    const [group, foreground] = execFileSync('ps', ['-o', 'pgid=,tpgid=', '-p', String(process.pid)], {
      encoding: 'utf8',
    })
      .trim()
      .split(/\s+/);
    return group === foreground;
  } catch {
    return true;
  }
}

import { readdir, readFile, readlink } from 'node:fs/promises';
import { escapeControls } from '../../core/display.js';

const LISTENING = '0A';

/**
 * Who listens on a TCP port of this machine, as far as this user may see it: `node (process 4711)`, or
 * `a program of another user (uid 1001)`; undefined where that can't be told.
 *
 * @see https://www.kernel.org/doc/html/latest/networking/proc_net_tcp.html
 */
export async function portHolder(port: number, ownUid = process.getuid?.()): Promise<string | undefined> {
  if (process.platform !== 'linux') return undefined;
  const tables = await Promise.all(
    ['/proc/net/tcp', '/proc/net/tcp6'].map((path) => readFile(path, 'latin1').catch(() => '')),
  );
  const holder = findListener(tables.join('\n'), port);
  if (holder === undefined) return undefined;
  const found = await processWith(`socket:[${holder.inode}]`);
  if (found !== undefined) return found;
  return holder.uid === ownUid ? undefined : `a program of another user (uid ${String(holder.uid)})`;
}

/** The listening socket's owner and inode, from the kernel's tables. */
export function findListener(
  tables: string,
  port: number,
): { readonly uid: number; readonly inode: string } | undefined {
  const wanted = `:${port.toString(16).toUpperCase().padStart(4, '0')}`;
  for (const line of tables.split('\n')) {
    // number, local, remote, state, queues, timer, retransmits, uid, timeout, inode
    const [, local = '', , state, , , , uid = '', , inode = ''] = line.trim().split(/\s+/);
    if (state === LISTENING && local.endsWith(wanted) && /^\d+$/.test(uid) && /^[1-9]\d*$/.test(inode))
      return { uid: Number(uid), inode };
  }
  return undefined;
}

/** Only processes whose descriptors this user may read are found: its own. */
async function processWith(link: string): Promise<string | undefined> {
  const pids = (await readdir('/proc').catch(() => [])).filter((name) => /^\d+$/.test(name));
  for (const pid of pids) {
    const descriptors = await readdir(`/proc/${pid}/fd`).catch(() => []);
    const links = await Promise.all(descriptors.map((name) => readlink(`/proc/${pid}/fd/${name}`).catch(() => '')));
    if (!links.includes(link)) continue;
    const name = await readFile(`/proc/${pid}/comm`, 'utf8').catch(() => 'a program');
    return `${escapeControls(name.trim())} (process ${pid})`;
  }
  return undefined;
}

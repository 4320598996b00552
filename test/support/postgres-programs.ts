import { execFile } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, realpathSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { promisify } from 'node:util';

/** Who runs a program: somebody else where the tests run as root, otherwise the caller. */
export interface Account {
  readonly uid?: number;
  readonly gid?: number;
}

/** The folder of `postgres`, `initdb` and the rest: from PATH, or the newest one where Debian puts them. */
export function findPostgres(): string | undefined {
  const debian = '/usr/lib/postgresql';
  const versions = existsSync(debian) ? readdirSync(debian).sort((a, b) => Number(b) - Number(a)) : [];
  const folders = [
    ...(process.env['PATH'] ?? '').split(delimiter),
    ...versions.map((version) => join(debian, version, 'bin')),
  ];
  const found = folders.find(
    (folder) => folder !== '' && ['postgres', 'initdb'].every((name) => existsSync(join(folder, name))),
  );
  // A link may stand alone; psql and pgbench are where the server really is.
  return found === undefined ? undefined : dirname(realpathSync(join(found, 'postgres')));
}

/** PostgreSQL refuses to run as root: its own user then, or nobody. Undefined where there is neither. */
export function serverAccount(): Account | undefined {
  if (process.getuid?.() !== 0) return {};
  const lines = readFileSync('/etc/passwd', 'utf8')
    .split('\n')
    .map((line) => line.split(':'));
  const entry = lines.find(([name]) => name === 'postgres') ?? lines.find(([name]) => name === 'nobody');
  return entry === undefined ? undefined : { uid: Number(entry[2]), gid: Number(entry[3]) };
}

/**
 * Runs a program to its end.
 *
 * @returns what it printed
 * @throws with what it printed when it fails
 */
export async function runAs(
  account: Account,
  [program = '', ...args]: readonly string[],
  cwd: string,
): Promise<string> {
  // Of the caller's environment the program gets nothing that could lead it to another server.
  const env = { PATH: process.env['PATH'], LC_ALL: 'C' };
  const { stdout } = await promisify(execFile)(program, args, { ...account, cwd, env });
  return stdout;
}

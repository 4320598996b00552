import {
  chmodSync,
  closeSync,
  fstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { createRequire } from 'node:module';
import { homedir } from 'node:os';
import { basename, dirname, isAbsolute, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { Script } from 'node:vm';

type Environment = Readonly<Record<string, string | undefined>>;

/** Not from `client/profile`: this file runs before anything else is loaded. */
export function cacheFolder(env: Environment, platform: NodeJS.Platform = process.platform): string {
  if (platform === 'win32') return join(env['LOCALAPPDATA'] ?? join(homedir(), 'AppData', 'Local'), 'hoop', 'Cache');
  if (platform === 'darwin') return join(homedir(), 'Library', 'Caches', 'hoop');
  // A relative one is to be ignored: https://specifications.freedesktop.org/basedir-spec/latest/#variables
  const xdg = env['XDG_CACHE_HOME'] ?? '';
  return join(isAbsolute(xdg) ? xdg : join(homedir(), '.cache'), 'hoop');
}

/**
 * Loads a CommonJS file with what V8 made of it the last time, so that it is not compiled again: half of the time that
 * a short command takes. The compiled code is kept per command, since only the functions that ran are in it.
 *
 * Node's own compile cache is not used: 20 has none, and by default it lies in a folder that all users share.
 * Compiled code is code: only a file of this user's, that nobody else can write, is taken. V8 itself refuses what
 * another version or other flags made. `NODE_DISABLE_COMPILE_CACHE` turns it off, as it does Node's.
 *
 * @param path absolute
 * @param command whose functions are kept together; a word of letters, or empty
 * @returns what the file exports
 */
export function loadScript(path: string, command: string, env: Environment): unknown {
  const off = (env['NODE_DISABLE_COMPILE_CACHE'] ?? '') !== '';
  const folder = join(cacheFolder(env), 'code');
  const { mtimeMs, size } = statSync(path);
  // Of one build and one Node; the prefix tells files of others, which are removed when one is written.
  const kind = `${basename(path, '.cjs')}.`;
  const build = `${kind}${Math.trunc(mtimeMs).toString(36)}-${size.toString(36)}-${process.version}-${process.arch}`;
  const file = join(folder, `${build}.${command}`);
  const kept = off ? undefined : readOwn(file);
  const script = new Script(
    `(function(exports,require,module,__filename,__dirname,__import){${readFileSync(path, 'latin1')}\n})`,
    {
      filename: path,
      ...(kept === undefined ? {} : { cachedData: kept }),
    },
  );
  if (!off && (kept === undefined || script.cachedDataRejected === true))
    process.once('exit', () => {
      keep({ folder, kind, build, file, script });
    });
  const module = { exports: {} };
  const wrapper = script.runInThisContext() as (...values: unknown[]) => void;
  wrapper(module.exports, createRequire(path), module, path, dirname(path), importer(path));
  return module.exports;
}

/** `import()` for the file, whose own would not work on Node 20 once its code comes out of the cache. */
function importer(path: string): (name: string) => Promise<unknown> {
  const base = pathToFileURL(path);
  return (name) => import(name.startsWith('.') ? new URL(name, base).href : name);
}

/** The file's bytes where it is this user's alone; undefined for any other, and for none. */
function readOwn(file: string): Buffer | undefined {
  let handle: number | undefined;
  try {
    handle = openSync(file, 'r');
    const { uid, mode } = fstatSync(handle);
    // Windows keeps such folders to their user, and tells no uid.
    if (process.getuid !== undefined && (uid !== process.getuid() || (mode & 0o022) !== 0)) return undefined;
    return readFileSync(handle);
  } catch {
    return undefined;
  } finally {
    if (handle !== undefined) closeSync(handle);
  }
}

interface Kept {
  readonly folder: string;
  /** What names of this script's files begin with, of any build. */
  readonly kind: string;
  /** The same, of this build. */
  readonly build: string;
  readonly file: string;
  readonly script: Script;
}

/** At the end of the process, when all functions that the command needs have been compiled. Failing is no harm. */
function keep({ folder, kind, build, file, script }: Kept): void {
  const half = `${file}.${String(process.pid)}`;
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    chmodSync(folder, 0o700);
    for (const name of readdirSync(folder))
      if (name.startsWith(kind) && !name.startsWith(`${build}.`)) rmSync(join(folder, name));
    writeFileSync(half, script.createCachedData(), { mode: 0o600, flag: 'wx' });
    renameSync(half, file);
  } catch {
    discard(half);
  }
}

function discard(file: string): void {
  try {
    rmSync(file, { force: true });
  } catch {
    // The folder itself can't be used.
  }
}

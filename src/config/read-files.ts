import { readdir, readFile, realpath, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { ConfigFault } from './fault.js';

export interface ConfigFile {
  readonly path: string;
  readonly text: string;
}

const MAX_FILE_BYTES = 4 * 1024 * 1024;
const MAX_FILES = 10_000;

const RESOURCE_FILE = /\.ya?ml$/;
const TEST_FILE = /\.test\.ya?ml$/;

/** Does it hold tests of policies, which are nothing to a running agent? */
export function isTestFile(path: string): boolean {
  return TEST_FILE.test(path);
}

/**
 * Reads every `*.yaml` and `*.yml` below a folder, or the one file named, in order of their paths.
 *
 * Names that start with a dot are left out: editors keep swap files there, and Kubernetes the second
 * copy of what it mounts.
 */
export async function readConfigFiles(
  root: string,
): Promise<{ readonly files: readonly ConfigFile[]; readonly faults: readonly ConfigFault[] }> {
  const faults: ConfigFault[] = [];
  const files: ConfigFile[] = [];
  for (const path of await listConfigFiles(root, faults)) {
    const text = await readText(path, faults);
    if (text !== undefined) files.push({ path, text });
  }
  return { files, faults };
}

/** Their paths, links to files and folders followed, each folder once. What can't be looked into is a fault. */
export async function listConfigFiles(root: string, faults: ConfigFault[]): Promise<string[]> {
  const found: string[] = [];
  const visited = new Set<string>();
  const folder = async (path: string): Promise<void> => {
    const real = await realpath(path);
    if (visited.has(real)) return;
    visited.add(real);
    for (const entry of await readdir(path, { withFileTypes: true })) {
      const inside = join(path, entry.name);
      if (entry.name.startsWith('.')) continue;
      // Recordings may lie below: files of other names cost nothing but their listing.
      if (!entry.isFile()) await guard(inside, false);
      else if (RESOURCE_FILE.test(inside)) found.push(inside);
    }
  };
  const guard = async (path: string, named: boolean): Promise<void> => {
    if (found.length > MAX_FILES) return;
    try {
      const entry = await stat(path);
      if (entry.isDirectory()) await folder(path);
      else if (named || (RESOURCE_FILE.test(path) && entry.isFile())) found.push(path);
      else if (RESOURCE_FILE.test(path)) faults.push({ file: path, line: 1, column: 1, message: 'not a file' });
    } catch (error) {
      faults.push(unreadable(path, error));
    }
  };
  await guard(root, true);
  if (found.length > MAX_FILES)
    faults.push({ file: root, line: 1, column: 1, message: `more than ${String(MAX_FILES)} files` });
  return found.sort();
}

async function readText(path: string, faults: ConfigFault[]): Promise<string | undefined> {
  try {
    const { size } = await stat(path);
    if (size > MAX_FILE_BYTES) {
      faults.push({
        file: path,
        line: 1,
        column: 1,
        message: `the file is larger than ${String(MAX_FILE_BYTES)} bytes`,
      });
      return undefined;
    }
    return new TextDecoder('utf-8', { fatal: true }).decode(await readFile(path));
  } catch (error) {
    faults.push(unreadable(path, error));
    return undefined;
  }
}

function unreadable(file: string, error: unknown): ConfigFault {
  const code = (error as { readonly code?: string }).code ?? '';
  const reasons: Readonly<Record<string, string>> = {
    ENOENT: 'no such file or folder',
    EACCES: 'may not be read by the user of this program',
    ELOOP: 'a link that leads to itself',
    ERR_ENCODING_INVALID_ENCODED_DATA: 'the file is not UTF-8',
  };
  return {
    file,
    line: 1,
    column: 1,
    message: reasons[code] ?? `could not be read (${code === '' ? 'unknown reason' : code})`,
  };
}

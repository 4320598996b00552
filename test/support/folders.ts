import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { RUN_FOLDER } from './run-folder.js';

/** A new folder, for its owner alone. It is removed after the last test of the file. */
export function makeFolder(name: string): string {
  return mkdtempSync(join(tmpdir(), `hoop-${name}-`));
}

/** A new folder for what outlives the file and cleans up itself, as a server that files share. */
export function makeSharedFolder(name: string): string {
  return mkdtempSync(join(process.env[RUN_FOLDER] ?? tmpdir(), `hoop-${name}-`));
}

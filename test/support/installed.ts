import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';

/** Is a program there that npm does not bring? `scripts/test` installs it where it can. */
export function isInstalled(program: string): boolean {
  return (process.env['PATH'] ?? '').split(delimiter).some((folder) => {
    try {
      accessSync(join(folder, program), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}

import { fileURLToPath } from 'node:url';

/** The file that starts hoop: of the package that this file is built into, or of the sources. */
export const HOOP_PROGRAM = fileURLToPath(
  new URL(import.meta.url.endsWith('.ts') ? '../../bin/run.js' : '../../../bin/run.js', import.meta.url),
);

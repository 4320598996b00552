import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll } from 'vitest';
import { RUN_FOLDER } from './run-folder.js';

// Before each test file: what it and the programs that it starts put into the temporary folder goes with it.
// A short name, for the sockets below: their paths may have 107 bytes.
const folder = mkdtempSync(join(process.env[RUN_FOLDER] ?? '', 'f'));
chmodSync(folder, 0o711);
process.env['TMPDIR'] = folder;

// Registered first, so it comes last.
afterAll(() => rmSync(folder, { recursive: true, force: true, maxRetries: 5 }));

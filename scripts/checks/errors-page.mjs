// Holds docs/errors.md against the one error table of the program (as built into dist/).
import { ERRORS, EXIT } from '../../dist/src/core/errors.js';
import { cell, holdPage } from './generated.mjs';

/** What each exit status means, for scripts that branch on it. */
const MEANINGS = {
  done: 'done',
  failed: 'failed',
  usage: 'the command was not understood',
  notLoggedIn: 'not logged in, or the token was refused',
  noAccess: 'no access to that connection, or not the right to do this',
  blocked: 'blocked by policy',
  denied: 'approval denied',
  approvalTimeout: 'approval not given in time',
  unreachable: 'agent or upstream not reachable',
};

const missing = Object.keys(EXIT).filter((name) => MEANINGS[name] === undefined);
if (missing.length > 0) throw new Error(`exit statuses without a meaning: ${missing.join(', ')}`);

const statuses = Object.entries(EXIT).map(([name, status]) => `| ${status} | ${MEANINGS[name]} |`);
const codes = Object.entries(ERRORS).map(([code, row]) => `| \`${code}\` | ${row.exit} | ${cell(row.suggestion)} |`);

holdPage(
  new URL('../../docs/errors.md', import.meta.url),
  `# Errors and exit statuses

<!-- Made from src/core/errors.ts by \`npm run docs\`; change it there. -->

Every failure prints one line that says what failed, one that says why, and one that says
what to do. With \`--json\` it is \`{"error":{"code","message","suggestion"}}\` on stdout.

| exit status | means |
| --- | --- |
${statuses.join('\n')}

A command run after \`--\` gives its own exit status; one ended by signal n gives 128 + n.

| code | exit status | what to do |
| --- | --- | --- |
${codes.join('\n')}
`,
);

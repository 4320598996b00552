import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { SessionSummary } from '../core/session-summary.js';
import { plantedIn, PLANTED_COUNT } from './planted-values.js';
import type { Tour } from './tour.js';
import { TRIAL_STATEMENTS } from './dev-text.js';

/** Finds the session of the steps before; gives its id. */
export async function listSessions({ guide, hoop }: Tour): Promise<SessionSummary> {
  guide.command('dana', 'hoop sessions --json');
  const sessions = await hoop.json<readonly SessionSummary[]>('dana', ['sessions']);
  const session = sessions.find(
    ({ approvals, blocked, email }) => approvals === 1 && blocked === 1 && email === 'alice@example.com',
  );
  guide.check(
    'dana, an auditor, finds alice’s session: 1 statement blocked, 1 approved',
    session !== undefined,
    sessions,
  );
  return session as SessionSummary;
}

export async function replay({ guide, hoop }: Tour, id: string): Promise<void> {
  guide.command('dana', `hoop replay ${id} --format text`);
  const { status, stdout, stderr } = await hoop.run('dana', ['replay', id, '--format', 'text']);
  guide.shows(stdout, 24);
  guide.check(
    'the replay shows who did what, and what was decided',
    status === 0 &&
      ['alice@example.com', TRIAL_STATEMENTS.blocked, TRIAL_STATEMENTS.held, 'dana@example.com', 'refund agreed'].every(
        (part) => stdout.includes(part),
      ),
    stderr,
  );
  // The person who acted is named in the record; the customers are not.
  guide.check('and nothing in clear that was masked', plantedIn(stdout).length === 0, plantedIn(stdout).join(', '));
}

export async function verify(
  { guide, hoop }: Tour,
  session: SessionSummary,
  agentDir: string,
  workDir: string,
): Promise<void> {
  guide.command('dana', `hoop verify ${session.id}`);
  const whole = await hoop.run('dana', ['verify', session.id]);
  guide.shows(whole.stdout || whole.stderr);
  guide.check('the recording is whole: every event is linked and the seal is signed', whole.status === 0, whole.stderr);
  const recording = await readFile(join(agentDir, 'recordings', session.file), 'utf8');
  const changed = join(workDir, `${session.id}.ndjson`);
  await writeFile(changed, recording.replace('DELETE FROM customers', 'DELETE FROM customerz'));
  guide.command('dana', 'hoop verify COPY-WITH-ONE-LETTER-CHANGED');
  const broken = await hoop.run('dana', ['verify', changed]);
  guide.shows(broken.stderr || broken.stdout);
  guide.check(
    'one changed letter is found: exit status 1',
    broken.status === 1 && recording.includes('DELETE FROM customers'),
    `status ${String(broken.status)}`,
  );
}

/** Reads every file that the agent and the people's `hoop` wrote; the resource files are our own. */
export async function searchFiles({ guide }: Tour, folders: readonly string[], log: string): Promise<void> {
  const files = [log];
  for (const folder of folders) {
    const entries = await readdir(folder, { recursive: true, withFileTypes: true });
    files.push(...entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name)));
  }
  const found = new Set<string>();
  for (const file of files) for (const value of plantedIn(await readFile(file, 'latin1'))) found.add(value);
  const claim = `none of the ${String(PLANTED_COUNT)} personal values of the customers is in these ${String(files.length)} files`;
  guide.check(claim, found.size === 0 && PLANTED_COUNT === 32 && files.length > 5, [...found].join(', '));
}

import type { Client, DatabaseError, QueryResult } from 'pg';
import type { ConnectionSummary } from '../core/connection-summary.js';
import type { RequestView } from '../core/approval.js';
import { approveDevice } from './approve-device.js';
import { TRIAL_STATEMENTS } from './dev-text.js';
import type { HoopProcesses, RunningHoop } from './hoop-processes.js';
import type { TourGuide } from './tour-guide.js';
import { plantedIn } from './planted-values.js';

export interface Tour {
  readonly guide: TourGuide;
  readonly hoop: HoopProcesses;
}

const LINK = /https?:\/\/\S+user_code=\S+/;

/** Logs a person in by device flow; the confirmation in the browser is done by HTTP. */
export async function logIn({ guide, hoop }: Tour, user: string, group: string): Promise<void> {
  guide.command(user, 'hoop login');
  const login = hoop.start(user, ['login', '--no-browser']);
  const [link] = await login.said(LINK);
  guide.shows(`… open ${link} and confirm the code; ${user} does so in a browser`);
  await approveDevice(link, user);
  const { status, stdout, stderr } = await login.finished;
  guide.check(`logged in as ${user}@example.com`, status === 0 && stdout.includes(`${user}@example.com`), stderr);
  guide.command(user, 'hoop whoami --json');
  const who = await hoop.json<{ readonly groups: readonly string[] }>(user, ['whoami']);
  guide.check(`the agent reads the group ${group} from the token`, who.groups.includes(group), who);
}

/** Opens the local port; gives what a driver needs. */
export async function connect({ guide, hoop }: Tour): Promise<{ readonly port: RunningHoop; readonly url: string }> {
  guide.command('alice', 'hoop connections --json');
  const listed = await hoop.json<readonly ConnectionSummary[]>('alice', ['connections']);
  guide.check(
    'postgres is open to alice',
    listed.some(({ name, access }) => name === 'postgres' && access === 'open'),
    listed,
  );
  guide.command('alice', 'hoop connect postgres --json');
  const port = hoop.start('alice', ['connect', 'postgres', '--json']);
  const [line] = await port.said(/^\{"event":"listening".*\}$/m);
  guide.shows(line);
  const { env } = JSON.parse(line) as { readonly env: Readonly<Record<string, string>> };
  const url = env['DATABASE_URL'] ?? '';
  guide.check(
    'a local port is open, with a URL that holds no password',
    /^postgresql:\/\/[^:@/]+@127\.0\.0\.1:\d+\//.test(url),
    url,
  );
  return { port, url };
}

export async function readMasked({ guide }: Tour, client: Client): Promise<void> {
  guide.command('alice', TRIAL_STATEMENTS.read);
  const { rows } = await client.query<Record<string, string>>(TRIAL_STATEMENTS.read);
  for (const row of rows) guide.shows(Object.values(row).join('  '));
  guide.check('3 rows came', rows.length === 3, String(rows.length));
  const seen = JSON.stringify(rows);
  guide.check(
    'no e-mail address, phone, SSN or card of theirs came in clear',
    plantedIn(seen).length === 0,
    plantedIn(seen).join(', '),
  );
  const [first] = rows;
  guide.check(
    'the masked values keep their shape',
    /@/.test(first?.['email'] ?? '') && /1111$/.test(first?.['card'] ?? '') && /6789$/.test(first?.['ssn'] ?? ''),
    first,
  );
  guide.command('alice', TRIAL_STATEMENTS.derived);
  const { rows: derived } = await client.query<Record<string, string>>(TRIAL_STATEMENTS.derived);
  for (const row of derived) guide.shows(Object.values(row).join('  '));
  guide.check(
    'what a query makes of a masked column is masked as well',
    derived.length === 3 &&
      derived.every((row) => row['reverse'] === '[reverse]' && row['split_part'] === '[split_part]'),
    derived,
  );
}

export async function blockDelete({ guide }: Tour, client: Client): Promise<void> {
  guide.command('alice', TRIAL_STATEMENTS.blocked);
  const error = await failureOf(client.query(TRIAL_STATEMENTS.blocked));
  guide.shows(`ERROR ${error.code ?? ''}: ${error.message}`);
  guide.check(
    'the statement was refused with SQLSTATE 42501 and the name of the rule',
    error.code === '42501' && error.message.includes('standard-sql/delete-no-where'),
    error.message,
  );
  const { rows } = await client.query<{ readonly left: number }>('SELECT count(*)::int AS left FROM customers');
  guide.check('the same session goes on, and all 8 customers are there', rows[0]?.left === 8, rows);
}

/** A held statement: the request is decided by somebody else, then it runs. */
export async function approveUpdate({ guide, hoop }: Tour, client: Client): Promise<void> {
  guide.command('alice', TRIAL_STATEMENTS.held);
  const asked = new Promise<string>((resolve) => {
    client.on('notice', ({ message = '', detail = '', hint = '' }) => {
      const id = /hoop approve ([0-9a-f-]{36})/.exec(`${message}\n${detail}\n${hint}`)?.[1];
      if (id !== undefined) resolve(id);
    });
  });
  let done = false;
  const update: Promise<QueryResult> = client.query(TRIAL_STATEMENTS.held).finally(() => (done = true));
  // Told where it is awaited; a failing step in between must not end the process by this.
  update.catch(() => undefined);
  const id = await Promise.race([
    asked,
    update.then(() => {
      throw new Error('the statement ran without being held');
    }),
  ]);
  guide.shows(`NOTICE: waiting for approval, request ${id}`);
  guide.command('alice', `hoop approve ${id}`);
  const own = await hoop.run('alice', ['approve', id]);
  guide.check(
    'alice may not approve her own request: exit status 4',
    own.status === 4,
    `status ${String(own.status)}: ${own.stderr}`,
  );
  guide.command('dana', 'hoop requests --json');
  const waiting = await hoop.json<readonly RequestView[]>('dana', ['requests']);
  guide.check(
    'dana sees the statement that waits',
    waiting.some((request) => request.id === id && request.text.includes('payments')),
    waiting,
  );
  guide.check('it has not run yet', !done);
  guide.command('dana', `hoop approve ${id} --reason "refund agreed"`);
  const decided = await hoop.run('dana', ['approve', id, '--reason', 'refund agreed']);
  guide.check('dana approved it', decided.status === 0, decided.stderr);
  guide.check('now it ran, on 1 row', (await update).rowCount === 1, 'another count');
  const { rows } = await client.query<{ readonly status: string }>('SELECT status FROM payments WHERE id = 2');
  guide.check('payment 2 is refunded', rows[0]?.status === 'refunded', rows);
}

export async function execute({ guide, hoop }: Tour): Promise<void> {
  const sql = 'SELECT id, email FROM customers WHERE id = 1';
  guide.command('alice', `hoop exec postgres -o json -i "${sql}"`);
  const { status, stdout, stderr } = await hoop.run('alice', ['exec', 'postgres', '-o', 'json', '-i', sql]);
  guide.shows(stdout);
  guide.check(
    'one row came as JSON, masked',
    status === 0 && stdout.includes('@') && plantedIn(stdout).length === 0,
    stdout + stderr,
  );
  guide.command('alice', `hoop exec postgres -i "${TRIAL_STATEMENTS.blocked}"`);
  const blocked = await hoop.run('alice', ['exec', 'postgres', '-i', TRIAL_STATEMENTS.blocked]);
  guide.shows(blocked.stderr);
  guide.check('what policy blocks ends with exit status 5', blocked.status === 5, `status ${String(blocked.status)}`);
}

async function failureOf(query: Promise<unknown>): Promise<DatabaseError> {
  const error = await query.then(
    () => undefined,
    (reason: unknown) => reason as DatabaseError,
  );
  if (error === undefined) throw new Error('the statement ran');
  return error;
}

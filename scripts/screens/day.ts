import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { approveDevice } from '../../src/dev/approve-device.js';
import { buildCli, startHoop } from '../../test/support/built-cli.js';
import { Terminal } from '../../test/support/terminal.js';
import { page, type Part } from './page.js';

const PATIENCE_S = 90;

/** A person's shell in front of the trial stack. */
class Person {
  readonly #terminal: Terminal;

  /** @param stack the folder of `hoop dev --keep`, which holds a file for each person */
  constructor(
    private readonly name: string,
    stack: string,
    size: { readonly columns: number; readonly rows: number },
  ) {
    const rc = join(stack, `${name}.bashrc`);
    writeFileSync(rc, `source '${stack}/${name}.sh'\nPS1='${name}$ '\ncd '${stack}'\n`);
    const env = {
      PSQL_PAGER: 'cat',
      PSQL_HISTORY: '/dev/null',
      HISTFILE: '/dev/null',
      CI: 'false',
      PSQLRC: '/dev/null',
    };
    this.#terminal = new Terminal(`bash --noprofile --rcfile '${rc}' -i`, { ...size, env });
  }

  get seen(): string {
    return this.#terminal.seen;
  }

  shows(wanted: RegExp): Promise<string> {
    return this.#terminal.shows(wanted, PATIENCE_S);
  }

  line(text: string): void {
    this.#terminal.line(text);
  }

  key(name: string): void {
    this.#terminal.type(name);
  }

  /** The prompt is back, behind so many of them. */
  prompts(count: number): Promise<string> {
    return this.shows(new RegExp(`(?:^${this.name}\\$ [^]*?){${String(count)}}^${this.name}\\$\\s*$`, 'm'));
  }

  /** Types lines one after the other on an empty screen; gives the screen when the last has ended. */
  async types(...lines: readonly string[]): Promise<string> {
    await this.#empty();
    for (const [index, line] of lines.entries()) {
      this.line(line);
      await this.prompts(index + 1);
    }
    return withoutLast(this.seen, `${this.name}$`);
  }

  async logsIn(): Promise<readonly [asked: string, done: string]> {
    await this.#empty();
    this.line('hoop login --no-browser');
    const asked = await this.shows(/https?:\/\/\S+user_code=\S+/);
    await approveDevice(/https?:\/\/\S+user_code=\S+/.exec(asked)?.[0] ?? '', this.name);
    await this.prompts(1);
    return [asked, withoutLast(this.seen, `${this.name}$`)];
  }

  /** What was there goes into the terminal's history first, and out of that the next time. */
  async #empty(): Promise<void> {
    await this.prompts(0);
    for (let tries = 0; tries < PATIENCE_S; tries += 1) {
      this.#terminal.clear();
      await delay(200);
      if (this.#terminal.screen.trim() === `${this.name}$`) return;
    }
    throw new Error(`the terminal of ${this.name} can not be emptied`);
  }

  close(): void {
    this.#terminal.close();
  }
}

/** The prompt that waits for the next line is no part of what was done. */
function withoutLast(screen: string, prompt: string): string {
  const rows = screen.trimEnd().split('\n');
  return (rows.at(-1)?.trimEnd() === prompt ? rows.slice(0, -1) : rows).join('\n');
}

/** A day with hoop in front of `hoop dev`, from the first login to the logout. */
export async function day(): Promise<string> {
  await buildCli();
  const folder = mkdtempSync(join(tmpdir(), 'hoop-day-'));
  const stack = startHoop(['dev', '--keep', folder], { TMPDIR: tmpdir() });
  const people: Person[] = [];
  const person = (name: string, columns = 100, rows = 40): Person => {
    people.push(new Person(name, folder, { columns, rows }));
    return people.at(-1) as Person;
  };
  try {
    await stack.printed(/The trial stack runs/);
    const parts = [
      ...(await morning(person('alice'))),
      ...(await psql(person('alice', 100, 20), person('alice'), person('dana', 120))),
      ...(await scripts(person('alice', 110), folder)),
      ...(await evening(person('alice', 160))),
    ];
    return page('A day with hoop', 'Alice and Dana at their terminals, in front of `hoop dev`.', parts);
  } finally {
    for (const each of people) each.close();
    stack.child.kill('SIGTERM');
    await stack.finished;
    rmSync(folder, { recursive: true, force: true });
  }
}

async function morning(alice: Person): Promise<readonly Part[]> {
  const before = await alice.types('hoop connections; echo "exit status $?"');
  const [asked, done] = await alice.logsIn();
  const after = await alice.types('hoop whoami', 'hoop connections');
  return [
    ['Without a login every command says what to do, and exits with 3.', before],
    ['The device flow: a link, a code, and a QR code for a phone. It works over SSH as well.', asked],
    ['Confirmed in the browser, it ends by itself.', done],
    ['Who she is, and what she may use.', after],
  ];
}

async function psql(port: Person, shell: Person, dana: Person): Promise<readonly Part[]> {
  port.line('hoop connect postgres');
  const open = await port.shows(/psql '(\S+)'/);
  shell.line(/psql '\S+'/.exec(open)?.[0] ?? '');
  await shell.shows(/=# ?$/m);
  shell.line('SELECT name, email, ssn, card FROM customers ORDER BY id LIMIT 2;');
  await shell.shows(/\(2 rows\)/);
  shell.line('DELETE FROM customers;');
  await shell.shows(/ERROR/);
  shell.line("UPDATE payments SET status = 'refunded' WHERE id = 2;");
  await shell.shows(/a reviewer runs:/);
  const [held, waiting] = [shell.seen, await port.shows(/waiting for/)];
  await dana.logsIn();
  const listed = await dana.types('hoop requests');
  const id = /request ([0-9a-f-]{36})/.exec(held)?.[1] ?? '';
  const approved = await dana.types(`hoop approve ${id} --reason 'ticket 4711'`);
  const done = await shell.shows(/UPDATE 1/);
  shell.line('\\q');
  await shell.prompts(1);
  port.key('q');
  await port.prompts(1);
  return [
    ['A port for a database. It is the same one tomorrow, and stays through sleep and another network.', open],
    ['`psql` in another terminal, without a password: masked, blocked, and held for a second person.', held],
    ['The screen of the port meanwhile.', waiting],
    ['Dana, of the database administrators, sees what waits.', listed],
    ['She approves it.', approved],
    ['The statement runs where it was typed.', done],
  ];
}

async function scripts(alice: Person, folder: string): Promise<readonly Part[]> {
  writeFileSync(
    join(folder, 'report.sql'),
    'SELECT count(*) AS customers FROM customers;\nSELECT status, count(*) FROM payments GROUP BY status ORDER BY status;\n',
  );
  const forms = await alice.types(
    `hoop exec postgres -i 'SELECT id, name, email FROM customers ORDER BY id LIMIT 2'`,
    `hoop exec postgres -i 'SELECT id, email FROM customers ORDER BY id LIMIT 2' -o json`,
    `echo 'SELECT 1 AS one' | hoop exec postgres -o csv`,
    'hoop exec postgres -f report.sql',
    `hoop exec postgres -- psql -qAtc 'SELECT count(*) FROM payments'`,
  );
  const statuses = await alice.types(
    `hoop exec postgres -i 'DELETE FROM customers'; echo "exit status $?"`,
    `hoop exec postgres -i 'SELECT 1; SELECT nothing FROM nowhere'; echo "exit status $?"`,
    `hoop exec postgres -- sh -c 'exit 42'; echo "exit status $?"`,
    `hoop exec nowhere -- true; echo "exit status $?"`,
    `hoop exec postgres --wait 1s -i 'UPDATE payments SET amount = 1 WHERE id = 3'; echo "exit status $?"`,
  );
  return [
    [
      'For scripts: one shot, rows to stdout in the format asked for, or a program with the environment of a port.',
      forms,
    ],
    [
      'What happened is told by the exit status: 5 blocked, 1 failed, a program’s own, 4 no access, 7 not approved in time.',
      statuses,
    ],
  ];
}

async function evening(alice: Person): Promise<readonly Part[]> {
  const list = await alice.types('hoop sessions --limit 4');
  const found = await alice.types('hoop sessions --blocked --json | head -c 2000');
  const id = /"id":"([0-9a-f-]{36})"/.exec(found)?.[1] ?? '';
  const replayed = await alice.types(`hoop replay ${id} --format text`, `hoop verify ${id}`);
  const checked = await alice.types('hoop doctor', 'hoop version');
  const typo = await alice.types('hoop conections; echo "exit status $?"');
  const out = await alice.types('hoop logout', 'hoop connections; echo "exit status $?"');
  return [
    ['What she did today.', list],
    ['One of them, as it was recorded, and the proof that nothing of it was changed.', replayed],
    ['Is all well? And which versions are these?', checked],
    ['A slip of the finger.', typo],
    ['The end.', out],
  ];
}

if (process.argv[1] === import.meta.filename) console.log(await day());

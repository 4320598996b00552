// Writes docs/screens/*.md: screens of hoop as text, captured by tmux from real terminals in front of a real agent.
//
//   npx tsx scripts/screens/capture.ts [--only approve|decisions|connect|replay|day]
import { mkdirSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { setTimeout as delay } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { replayScreens } from './replay-screens.js';
import { ScreenStage } from '../../test/support/screens.js';
import { day } from './day.js';
import { decisions } from './decisions.js';
import { page } from './page.js';
import { confirm, PATIENCE_S, READING_MS } from './reviewer.js';

const FOLDER = fileURLToPath(new URL('../../docs/screens/', import.meta.url));
const HELD = 'UPDATE payments SET amount = 12.50 WHERE customer = 1 AND amount < 50 RETURNING id, amount;';

async function approve(stage: ScreenStage): Promise<string> {
  const reason = '--reason "correct the amount of order 7"';
  const alice = await stage.terminal(
    { subject: 'alice', groups: ['engineering'] },
    `connect postgres ${reason} -- psql -X`,
    { columns: 100 },
  );
  const dana = await stage.terminal({ subject: 'dana', groups: ['dba'] }, 'approve');
  const erin = await stage.terminal({ subject: 'erin', groups: ['dba', 'security'] }, 'approve', {
    columns: 110,
    rows: 28,
  });
  await Promise.all([
    alice.shows(/=> ?$/m, PATIENCE_S),
    dana.shows(/● live/, PATIENCE_S),
    erin.shows(/● live/, PATIENCE_S),
  ]);
  const empty = dana.seen;
  alice.text(HELD);
  alice.type('Enter');
  await Promise.all([
    dana.shows(/1 waits for you/, PATIENCE_S),
    erin.shows(/1 waits for you/, PATIENCE_S),
    alice.shows(/waiting for approval/, PATIENCE_S),
  ]);
  const [waiting, read, wide] = [alice.seen, dana.seen, erin.seen];
  erin.type('p');
  const tried = await erin.shows(/rolled back[^]*after/, PATIENCE_S);
  erin.type('Tab', 'Home', 'Tab');
  dana.type('a');
  const asked = await dana.shows(/approve this of alice/, PATIENCE_S);
  await delay(READING_MS);
  dana.type('y');
  const first = await dana.shows(/more reviewers must approve/, PATIENCE_S);
  const second = await erin.shows(/approved +dana|needs +dba \(1 of 2\)/, PATIENCE_S);
  erin.type('a');
  await confirm(erin);
  const over = await erin.shows(/approved by erin/, PATIENCE_S);
  const done = await alice.shows(/UPDATE \d/, PATIENCE_S);
  const parts: readonly (readonly [string, string])[] = [
    ['Dana has `hoop approve` open; nothing waits.', empty],
    ['Alice changes a payment in `psql`. Her statement is held, and she is told for whom it waits.', waiting],
    ['Dana reads it, in a terminal of 80 by 24.', read],
    ['Erin reads the same in a larger one.', wide],
    ['Erin presses `p`: the agent tries it out, rolls it back, and shows what it would change.', tried],
    ['Dana presses `a`. Only `y`, on its own, goes ahead.', asked],
    ['Two database administrators must approve: hers counts, and it still waits.', first],
    ['Erin sees that at once.', second],
    ['She approves too, and it is over.', over],
    ['Alice’s statement has run, in the session it was typed in.', done],
  ];
  return page('hoop approve', 'Three people at three terminals.', parts);
}

async function connect(stage: ScreenStage): Promise<string> {
  const carol = await stage.terminal({ subject: 'carol', groups: ['engineering'] }, 'connect postgres', {
    columns: 100,
  });
  const screen = await carol.shows(/psql '(\S+)'/, PATIENCE_S);
  const url = /psql '(\S+)'/.exec(screen)?.[1] ?? '';
  const psql = await stage.psql(url);
  await psql.shows(/=> ?$/m, PATIENCE_S);
  for (const sql of ['SELECT id, email FROM customers ORDER BY id;', 'DELETE FROM customers;', HELD]) {
    psql.text(sql);
    psql.type('Enter');
    await psql.shows(/rows\)|ERROR|waiting/, PATIENCE_S);
    await delay(READING_MS);
  }
  const busy = await carol.shows(/waiting for/, PATIENCE_S);
  carol.type('q');
  const asked = await carol.shows(/q again ends/, PATIENCE_S);
  return page('hoop connect', 'A port stays open until `q`; `--plain` prints lines instead.', [
    ['The port is open.', screen],
    ['`psql` runs in another terminal: one statement was allowed, one blocked, one waits for people.', busy],
    ['Before it ends a session, it asks.', asked],
  ]);
}

const { values } = parseArgs({ options: { only: { type: 'string', default: '' } } });
const wanted = (name: string): boolean => values.only === '' || values.only === name;

mkdirSync(FOLDER, { recursive: true });
if (wanted('replay')) {
  const intro = 'Plays a recording in a terminal of 100 columns.';
  writeFileSync(`${FOLDER}replay.md`, page('hoop replay', intro, await replayScreens()));
}
if (wanted('approve') || wanted('decisions') || wanted('connect')) {
  const stage = await ScreenStage.open(2);
  try {
    if (wanted('approve')) writeFileSync(`${FOLDER}approve.md`, await approve(stage));
    if (wanted('decisions')) writeFileSync(`${FOLDER}decisions.md`, await decisions(stage));
    if (wanted('connect')) writeFileSync(`${FOLDER}connect.md`, await connect(stage));
  } finally {
    await stage.close();
  }
}
if (wanted('day')) writeFileSync(`${FOLDER}day.md`, await day());
// The database server that tests share ends with its process, not before.
process.exit(0);

// How long approval takes on its way, beside the people: a statement sent until it is on the screen of an open
// `hoop approve`, and the key that approves it until its result is at the requester.
//
//   npx tsx scripts/bench/approvals.ts [SAMPLES]
//
// A real agent, a real PostgreSQL, hoop approve in tmux. What the screen writes is read from the terminal's own output;
// the time of a key includes starting `tmux send-keys`.
import { spawn, execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { Client } from 'pg';
import { ScreenStage } from '../../test/support/screens.js';

const samples = Number(process.argv[2] ?? 30);
const PATIENCE_S = 60;
/** The screen takes no `y` that comes sooner than anybody reads. */
const READING_MS = 400;
const WITHIN_MS = 30_000;

/** The text that a terminal shows, as it comes. */
class Output {
  #text = '';
  #waiting: { readonly needle: string; readonly found: () => void } | undefined;

  take(text: string): void {
    this.#text = (this.#text + text).slice(-200_000);
    if (this.#waiting === undefined || !this.#text.includes(this.#waiting.needle)) return;
    this.#waiting.found();
    this.#waiting = undefined;
  }

  shows(needle: string): Promise<void> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error(`${needle} never came`)), WITHIN_MS);
      this.#waiting = {
        needle,
        found: () => {
          clearTimeout(timer);
          resolve();
        },
      };
      this.take('');
    });
  }

  clear(): void {
    this.#text = '';
  }
}

function figures(name: string, measured: readonly number[]): string {
  const sorted = [...measured].sort((one, other) => one - other);
  const at = (share: number): string =>
    (sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0).toFixed(1);
  return `${name.padEnd(44)} p50 ${at(0.5)} ms   p90 ${at(0.9)} ms   worst ${at(1)} ms   (${String(sorted.length)} samples)`;
}

const folder = mkdtempSync(join(tmpdir(), 'hoop-bench-'));
const fifo = join(folder, 'screen');
execFileSync('mkfifo', [fifo]);
const stage = await ScreenStage.open(1);
const reader = spawn('cat', [fifo]);
try {
  const reviewer = await stage.terminal({ subject: 'bob', groups: ['dba'] }, 'approve', { columns: 120, rows: 40 });
  await reviewer.shows(/● live/, PATIENCE_S);
  const output = new Output();
  reader.stdout.setEncoding('utf8').on('data', (text: string) => output.take(text));
  reviewer.copyTo(fifo);
  const { port } = await stage.agent.port();
  const client = new Client({ host: '127.0.0.1', port, user: 'ann', database: stage.agent.database });
  client.on('error', () => undefined);
  await client.connect();
  const [shown, answered]: [number[], number[]] = [[], []];
  for (let sample = 0; sample < samples; sample += 1) {
    const sentMs = performance.now();
    const result = client.query(`UPDATE payments SET amount = ${String(1_000 + sample)} WHERE id = 1`);
    await output.shows(`amount = ${String(1_000 + sample)}`);
    shown.push(performance.now() - sentMs);
    reviewer.type('a');
    await output.shows('approve this of');
    output.clear();
    await delay(READING_MS);
    const pressedMs = performance.now();
    reviewer.type('y');
    await result;
    answered.push(performance.now() - pressedMs);
  }
  await client.end();
  console.log(figures('statement sent → on an open hoop approve', shown));
  console.log(figures('key pressed → result at the requester', answered));
} finally {
  reader.kill();
  await stage.close();
  rmSync(folder, { recursive: true, force: true });
}
// The database server that tests share ends with its process, not before.
process.exit(0);

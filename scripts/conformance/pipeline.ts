// libpq's pipeline test, direct and through hoop, each sub-test with the trace of its protocol messages.
//
//   node --import tsx scripts/conformance/pipeline.ts FOLDER
//
// FOLDER is what `scripts/conformance/fetch` made.
import { execFile } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { startPostgres } from '../../test/support/postgres-server.js';
import { report, type Outcome, withoutPort } from './lib/verdict.js';
import { wayTo, type Way } from './lib/ways.js';

const TIME_LIMIT_MS = 120_000;
const MAX_OUTPUT_BYTES = 1 << 28;

function run(
  program: string,
  args: readonly string[],
  env: Readonly<Record<string, string>>,
): Promise<{ readonly status: number | string; readonly stdout: string; readonly stderr: string }> {
  return new Promise((done) => {
    execFile(
      program,
      args,
      { env: { ...env }, timeout: TIME_LIMIT_MS, maxBuffer: MAX_OUTPUT_BYTES },
      (error, stdout, stderr) => {
        done({ status: error === null ? 0 : (error.code ?? String(error.signal)), stdout, stderr });
      },
    );
  });
}

/** Written from two ends at once: how the two directions interleave is chance, what each holds is not. */
function byDirection(trace: string): string {
  const lines = trace.split('\n');
  return [...lines.filter((line) => line.startsWith('F')), ...lines.filter((line) => line.startsWith('B'))].join('\n');
}

/**
 * Status, output and trace of one sub-test. libpq leaves times and what servers number as they like out of the trace
 * itself (`PQTRACE_REGRESS_MODE`).
 */
async function subTest(program: string, name: string, way: Way): Promise<string> {
  await way.server.sql('DROP SCHEMA public CASCADE; CREATE SCHEMA public');
  const folder = mkdtempSync(join(tmpdir(), 'hoop-pipeline-'));
  const trace = join(folder, 'trace');
  const ran = await run(program, ['-r', '700', '-t', trace, name, 'dbname=postgres'], way.env);
  const messages = existsSync(trace) ? byDirection(readFileSync(trace, 'latin1')) : '';
  rmSync(folder, { recursive: true });
  const whole = [`status ${String(ran.status)}`, ran.stdout, ran.stderr, messages].join('\n');
  return withoutPort(name === 'uniqviol' ? withoutCounts(whole) : whole, way.port);
}

/**
 * This sub-test writes until its socket is full, then makes one insert fail: how many rows that takes depends on the
 * socket's buffer alone. What is left to compare: every kind of line that there was, numbers aside.
 */
function withoutCounts(text: string): string {
  const lines = text.split('\n').map((line) => line.replace(/[.]{2,}/g, '…').replace(/\d+/g, 'N'));
  return [...new Set(lines.map((line) => line.replace(/^…?E?…?$/, '…')))].join('\n');
}

async function main(): Promise<number> {
  const [given] = process.argv.slice(2);
  const program = given === undefined ? '' : join(resolve(given), 'libpq_pipeline');
  if (!existsSync(program)) {
    console.error('expected the folder that scripts/conformance/fetch made');
    return 2;
  }
  const server = await startPostgres();
  const ways = [await wayTo(server, 'direct'), await wayTo(server, 'hoop')] as const;
  const outcomes: Outcome[] = [];
  try {
    const { stdout } = await run(program, ['tests'], {});
    for (const name of stdout.trim().split('\n')) {
      const [direct, hoop] = [await subTest(program, name, ways[0]), await subTest(program, name, ways[1])];
      outcomes.push({ name, direct, hoop });
    }
  } finally {
    for (const way of ways) await way.stop();
    await server.stop();
  }
  return report(outcomes);
}

process.exitCode = await main();

import { mkdtemp, rm } from 'node:fs/promises';
import { constants, tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client } from 'pg';
import { createColours } from '../cli/colours.js';
import { HoopProcesses } from './hoop-processes.js';
import { approveUpdate, blockDelete, connect, execute, logIn, readMasked, type Tour } from './tour.js';
import { listSessions, replay, searchFiles, verify } from './tour-evidence.js';
import { askModel, blockPrompt, connectModel, replayModel } from './tour-model.js';
import { reasonOf, StepFailed, TourGuide } from './tour-guide.js';
import { startTrialStack, type TrialStack } from './trial-stack.js';

// The guided tour of scripts/demo: everything real, on loopback, gone at the end. Exit status 0 only where every
// step gave what it shows.
const startedMs = performance.now();
const colours = createColours({ stream: 'stdout', noColor: false, env: process.env });
const print = (line: string): void => void process.stdout.write(`${line}\n`);
const guide = new TourGuide(print, colours);
const dir = await mkdtemp(join(tmpdir(), 'hoop-demo-'));
const interrupted = new Promise<never>((_resolve, reject) => {
  for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    // A second one changes nothing: cleaning up takes seconds at most.
    process.on(name, () => {
      process.exitCode = 128 + constants.signals[name];
      reject(new Error(`ended by ${name}`));
    });
  }
});
const starting = startTrialStack({ dir });
// Told where it is awaited.
starting.catch(() => undefined);
let hoop: HoopProcesses | undefined;

try {
  await Promise.race([tour(), interrupted]);
  const seconds = ((performance.now() - startedMs) / 1000).toFixed(1);
  print(
    `\n${colours.green('The tour is done')}: ${String(guide.checks)} checks held, in ${seconds} s. To try it by hand: hoop dev`,
  );
} catch (error) {
  process.exitCode ??= 1;
  const where = error instanceof StepFailed ? `step ${error.step}` : 'the demo';
  process.stderr.write(`\n${where} failed: ${reasonOf(error)}\n`);
} finally {
  await hoop?.close();
  await starting.then((stack) => stack.close()).catch(() => undefined);
  await rm(dir, { recursive: true, force: true });
  // Nothing of ours is left to wait for.
  process.exit();
}

async function tour(): Promise<void> {
  print(`${colours.bold('hoop: a guided tour')}. Every line after $ is a real command; every ✓ was checked.`);
  const running = await guide.step(
    'The stack: an OpenID provider, Postgres (PGlite) with customers and payments, a stand-in for a model API, the agent',
    async () => {
      const started = await starting;
      guide.shows(
        `agent ${started.agentUrl}, provider ${started.issuer}, Postgres on port ${String(started.postgres.port)}`,
      );
      const ready = await fetch(`${started.agentUrl}/readyz`);
      guide.check('the agent is ready', ready.status === 200, await ready.text());
      return started;
    },
  );
  hoop = new HoopProcesses(running);
  const at: Tour = { guide, hoop };
  await guide.step('Alice, an engineer, logs in (OpenID device flow)', () => logIn(at, 'alice', 'engineering'));
  const open = await guide.step('She opens a local port to the database', () => connect(at));
  const client = new Client({ connectionString: open.url });
  client.on('error', () => undefined);
  await guide.step('A driver reads customers through it: personal data comes masked', async () => {
    await client.connect();
    await readMasked(at, client);
  });
  await guide.step('A DELETE without WHERE is blocked by policy', () => blockDelete(at, client));
  await guide.step('Dana, a database administrator, logs in', () => logIn(at, 'dana', 'dba'));
  await guide.step('An UPDATE of payments waits for her, and runs once she approved it', () =>
    approveUpdate(at, client),
  );
  await guide.step('One statement, for scripts and CI', () => execute(at));
  const model = await guide.step('A port to a model API: an SDK needs its base URL and key, nothing else', () =>
    connectModel(at),
  );
  await guide.step('The answer streams, and personal data in it comes masked', () => askModel(at, model));
  await guide.step('A prompt for a dump of credentials is blocked', () => blockPrompt(at, model));
  await guide.step('Ctrl-C closes the ports', async () => {
    await client.end();
    for (const [connection, { port }] of [
      ['postgres', open],
      ['openai', model],
    ] as const) {
      port.signal('SIGINT');
      const { status } = await port.finished;
      guide.check(`hoop connect ${connection} ended in order`, status === 0, `status ${String(status)}`);
    }
  });
  await evidence(at, running);
}

async function evidence(at: Tour, running: TrialStack): Promise<void> {
  const session = await guide.step('Everything was recorded', () => listSessions(at));
  await guide.step('The session is read again', () => replay(at, session.id));
  await guide.step('So is the talk with the model', () => replayModel(at));
  await guide.step('The record is proved', () => verify(at, session, running.agentDir, dir));
  await guide.step('Recordings, store, log and the files of hoop hold no personal data', () => {
    const { agentDir, agentLog } = running;
    const folders = [
      join(agentDir, 'recordings'),
      join(agentDir, 'state'),
      running.configDir('alice'),
      running.configDir('dana'),
    ];
    return searchFiles(at, folders, agentLog);
  });
}

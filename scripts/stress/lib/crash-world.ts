import { randomInt } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Client } from 'pg';
import type { WellKnown } from '../../../src/identity/well-known.js';
import type { RecordingPublicKey } from '../../../src/recording/keys.js';
import { readRecording } from '../../../src/recording/reading/read.js';
import { verifyFolder } from '../../../src/recording/proof/verify-folder.js';
import { verifyRecording } from '../../../src/recording/proof/verify.js';
import { openPort, type AgentFolder } from '../../../test/support/agent.js';
import type { AgentProcess } from '../../../test/support/agent-process.js';

/** What a file left by a crash may be found as; anything else would be taken for tampering. */
const LEFT_BY_A_CRASH = new Set(['unsealed', 'truncated', 'empty']);

/** One agent with its files, its database, and what was acknowledged through it. */
export class CrashWorld {
  /** `worker, number` of every statement whose answer came. */
  readonly acknowledged: string[] = [];
  /** Sessions that were opened and closed again. */
  sessions = 0;
  #worker = 0;

  constructor(readonly folder: AgentFolder) {}

  async prepare(): Promise<void> {
    await this.folder.postgres.sql(
      'create table acknowledged (worker int, n int); grant all on acknowledged to hoop_app',
      this.folder.database,
    );
  }

  get recordings(): string {
    return join(this.folder.dir, 'recordings');
  }

  /** The keys that the agent shows. */
  async keys(agent: AgentProcess): Promise<readonly RecordingPublicKey[]> {
    return ((await (await fetch(`${agent.url}/.well-known/hoop`)).json()) as WellKnown).recordingKeys;
  }

  /**
   * Two long sessions and one of short sessions, until the agent is gone.
   *
   * @returns resolves when all have seen the end; `started` when the first statement was answered
   */
  async work(agent: AgentProcess): Promise<{ readonly started: Promise<void>; readonly ended: Promise<void> }> {
    const token = await this.folder.issuer.token({ sub: 'ann', groups: ['engineering'] });
    const opened = await openPort(agent.url, 'postgres', token);
    const { port } = opened;
    let first: () => void = () => undefined;
    const started = new Promise<void>((resolve) => (first = resolve));
    const lanes = [this.#long(port, first), this.#long(port, first), this.#short(port, agent, first)];
    const ended = Promise.all(lanes).then(() => {
      first();
      opened.close();
    });
    return { started, ended };
  }

  async #long(port: number, answered: () => void): Promise<void> {
    const worker = (this.#worker += 1);
    await this.#statements(port, worker, Number.POSITIVE_INFINITY, answered).catch(() => undefined);
  }

  async #short(port: number, agent: AgentProcess, answered: () => void): Promise<void> {
    while (agent.running()) {
      const worker = (this.#worker += 1);
      try {
        await this.#statements(port, worker, randomInt(1, 4), answered);
      } catch {
        return;
      }
    }
  }

  async #statements(port: number, worker: number, most: number, answered: () => void): Promise<void> {
    const { database } = this.folder;
    const db = new Client({ host: '127.0.0.1', port, user: 'x', database, ssl: false });
    db.on('error', () => undefined);
    await db.connect();
    this.sessions += 1;
    for (let n = 1; n <= most; n += 1) {
      await db.query(`insert into acknowledged values (${String(worker)}, ${String(n)})`);
      this.acknowledged.push(`${String(worker)}, ${String(n)}`);
      answered();
    }
    await db.end();
  }

  /** The recordings as they lie after a crash: is any taken for tampered with? @returns how many are unsealed */
  async afterCrash(keys: readonly RecordingPublicKey[]): Promise<number> {
    let unsealed = 0;
    for (const path of this.#files()) {
      if (readFileSync(path, 'utf8').trimEnd().split('\n').at(-1)?.includes('"type":"seal"') === true) continue;
      const result = await verifyRecording(readRecording(path), { keys });
      if (result.ok) continue;
      if (!LEFT_BY_A_CRASH.has(result.kind)) throw new Error(`${path} is taken for ${result.kind}: ${result.message}`);
      unsealed += 1;
    }
    return unsealed;
  }

  /**
   * After the last start: nothing acknowledged or executed is missing, everything is sealed and listed.
   *
   * @throws Error that names the first thing missing
   */
  async check(keys: readonly RecordingPublicKey[]): Promise<{ readonly recordings: number; readonly crashed: number }> {
    const recorded = new Set<string>();
    let crashed = 0;
    const files = this.#files();
    for (const path of files) {
      const text = readFileSync(path, 'utf8');
      for (const match of text.matchAll(/"text":"insert into acknowledged values \((\d+, \d+)\)/g))
        recorded.add(match[1] as string);
      if (text.includes('"reason":"crash"')) crashed += 1;
      if (text.trimEnd().split('\n').at(-1)?.includes('"type":"seal"') !== true)
        throw new Error(`${path} is not sealed`);
    }
    for (const statement of this.acknowledged)
      if (!recorded.has(statement)) throw new Error(`acknowledged and not recorded: ${statement}`);
    const executed = await this.folder.postgres.sql('select worker, n from acknowledged', this.folder.database);
    for (const { worker, n } of executed)
      if (!recorded.has(`${String(worker)}, ${String(n)}`))
        throw new Error(`executed and not recorded: ${String(worker)}, ${String(n)}`);
    const { ok, verified, breaks } = await verifyFolder(this.recordings, { keys });
    if (!ok || verified !== files.length)
      throw new Error(`${String(verified)} of ${String(files.length)} hold: ${JSON.stringify(breaks[0])}`);
    return { recordings: files.length, crashed };
  }

  #files(): string[] {
    return readdirSync(this.recordings, { recursive: true })
      .map(String)
      .filter((name) => name.endsWith('.ndjson'))
      .map((name) => join(this.recordings, name));
  }
}

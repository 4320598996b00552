import { execFileSync } from 'node:child_process';
import { rm } from 'node:fs/promises';
import type { WellKnown } from '../../../src/identity/well-known.js';
import type { RecordingPublicKey } from '../../../src/recording/keys.js';
import { makeAgentFolder, type AgentFolder } from '../../../test/support/agent.js';
import { startAgentProcess, type AgentProcess } from '../../../test/support/agent-process.js';
import { CuttingProxy } from '../../../test/support/cutting-proxy.js';
import { startHttpUpstream, type HttpUpstream } from '../../../test/support/http-upstream.js';
import { startPostgres, type PostgresServer } from '../../../test/support/postgres-server.js';

/**
 * Every statement and request of the workload holds one; its letter says what is to become of it: `a` allowed,
 * `b` blocked, `h` held for one run, `g` held and then granted for a time, `m` a model call.
 */
export const MARKER = /chaos-[abhgm]-\d+/;

/** A statement of the workload as the server logs it; what the agent asks about one is an EXPLAIN. */
const LOGGED = /LOG: {2}(?:statement|execute [^:]*): insert into \w+ values \('(chaos-\w-\d+)'\)/;

/** What reached the servers behind the agent. */
export class Reached {
  /** How often each marker stands in the database's own log of statements. */
  readonly statements = new Map<string, number>();
  /** When the HTTP upstream was asked, in monotonic milliseconds. */
  readonly requests: number[] = [];
  #line = '';

  log(text: string): void {
    const lines = (this.#line + text).split('\n');
    this.#line = lines.pop() ?? '';
    for (const line of lines) {
      const marker = LOGGED.exec(line)?.[1];
      if (marker !== undefined) this.statements.set(marker, (this.statements.get(marker) ?? 0) + 1);
    }
  }
}

interface Places {
  readonly folder: AgentFolder;
  readonly postgres: PostgresServer;
  readonly upstream: HttpUpstream;
  readonly reached: Reached;
  /** Between the agent and the database. */
  readonly back: CuttingProxy;
}

/** One database, one HTTP upstream, and an agent before them that is killed, cut off and starved. */
export class ChaosWorld {
  /** When the agent was killed, in monotonic milliseconds. */
  readonly kills: number[] = [];
  /** Before the agent: its port stays while agents come and go. */
  front!: CuttingProxy;
  #agent: AgentProcess | undefined;
  #keys: readonly RecordingPublicKey[] = [];

  private constructor(readonly places: Places) {}

  static async open(): Promise<ChaosWorld> {
    const reached = new Reached();
    const postgres = await startPostgres({
      settings: { log_statement: 'all', log_min_error_statement: 'panic' },
      onLog: (text) => {
        reached.log(text);
      },
    });
    const upstream = await startHttpUpstream((_seen, response) => {
      reached.requests.push(performance.now());
      response.end('done');
    });
    const back = await CuttingProxy.open(() => postgres.port);
    const folder = await makeAgentFolder({ postgres, serverPort: back.port, policies: resources(upstream.url) });
    const tables = ['ran', 'held', 'granted', 'forbidden'].map((name) => `create table ${name} (marker text)`);
    await postgres.sql(tables.join('; '), folder.database);
    const world = new ChaosWorld({ folder, postgres, upstream, reached, back });
    world.front = await CuttingProxy.open(() => world.#port());
    await world.startAgent();
    return world;
  }

  get url(): string {
    return this.front.url;
  }

  get keys(): readonly RecordingPublicKey[] {
    return this.#keys;
  }

  token(sub: string, group: string): Promise<string> {
    return this.places.folder.issuer.token({ sub, email: `${sub}@example.test`, groups: [group] });
  }

  async startAgent(): Promise<void> {
    this.#agent = await startAgentProcess(this.places.folder);
    this.#keys = ((await (await fetch(`${this.#agent.url}/.well-known/hoop`)).json()) as WellKnown).recordingKeys;
  }

  async killAgent(): Promise<void> {
    this.kills.push(performance.now());
    await this.#agent?.kill();
  }

  async stopAgent(): Promise<void> {
    await this.#agent?.stop();
  }

  /** No file of the agent's may grow any more, as on a full disk; or all may again. */
  starveAgent(starved: boolean): void {
    const { pid } = this.#agent as AgentProcess;
    execFileSync('prlimit', ['--pid', String(pid), `--fsize=${starved ? '1' : 'unlimited'}:`]);
  }

  /** The last lines of the agent's log, for a report. */
  get log(): string {
    return this.#agent?.log().split('\n').slice(-20).join('\n') ?? '';
  }

  async close(): Promise<void> {
    const { folder, postgres, upstream, back } = this.places;
    if (this.#agent?.running() === true) await this.#agent.stop();
    await this.front.close();
    await back.close();
    upstream.close();
    await folder.issuer.close();
    await postgres.stop();
    await rm(folder.dir, { recursive: true, force: true });
  }

  /** Where no agent is, its old port: nobody listens there. */
  #port(): number {
    return Number(new URL(this.#agent?.url ?? 'http://127.0.0.1:9').port);
  }
}

const rule = (name: string, table: string, more: string): string =>
  `    - { name: ${name}, when: 'sql.writes.exists(t, t.name == "${table}")', ${more} }\n`;

const flow = (name: string, more: string): string => `---
apiVersion: hoop/v1
kind: ApprovalFlow
metadata: { name: ${name} }
spec: { reviewers: [{ groups: [dba] }], wait: 3s${more} }
`;

function resources(upstream: string): string {
  return `apiVersion: hoop/v1
kind: Policy
metadata: { name: chaos }
spec:
  rules:
${rule('forbidden', 'forbidden', 'action: block')}${rule('held', 'held', 'action: approve, approval: once')}${rule('granted', 'granted', 'action: approve, approval: lasting')}  limits:
    - { name: calls, per: [user], requests: { perDay: 1000000 } }
${flow('once', '')}${flow('lasting', ', maxDuration: 1h')}---
apiVersion: hoop/v1
kind: Connection
metadata: { name: model }
spec:
  type: http
  url: ${upstream}
  credentials: [{ groups: ['*'], headers: {} }]
  access: { groups: [engineering] }
`;
}

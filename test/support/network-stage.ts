import { randomBytes } from 'node:crypto';
import { Client, type DatabaseError } from 'pg';
import { startTestAgent, startTestIssuer, type TestAgent, type TestIssuer } from './agent.js';
import { CuttingProxy } from './cutting-proxy.js';
import { type HttpUpstream, startHttpUpstream } from './http-upstream.js';
import { type KeptPort, openKeptPort, type KeptPortOptions } from './kept-port.js';
import { until } from './until.js';
import { guardPolicy } from './guard-policy.js';
import { headerOf, httpConnection } from './http-connection.js';

/** What the network does, in the order of the table's columns. */
export const HARMS = ['cut', 'stall', 'drop', 'delay'] as const;
export type Harm = (typeof HARMS)[number];

/** One agent, one Postgres, one HTTP upstream that answers when it is told to, and the network before the agent. */
export class Stage {
  /** Where the network leads. */
  behind: number;
  /** The upstream answers; until then it holds what it was asked. */
  readonly answer: () => void;
  readonly #ports: KeptPort[] = [];
  readonly #clients: Client[] = [];

  private constructor(
    readonly issuer: TestIssuer,
    readonly agent: TestAgent,
    readonly upstream: HttpUpstream & { answer(): void },
    readonly proxy: CuttingProxy,
  ) {
    this.behind = portOf(agent);
    this.answer = () => {
      upstream.answer();
    };
  }

  static async open(): Promise<Stage> {
    const issuer = await startTestIssuer();
    const upstream = await heldUpstream();
    const agent = await startTestAgent({
      policies: guardPolicy('5m') + httpConnection('crm', upstream.url, headerOf('x-token', 'APP_PASSWORD')),
      issuer,
    });
    const proxy = await CuttingProxy.open(() => stage.behind);
    const stage = new Stage(issuer, agent, upstream, proxy);
    return stage;
  }

  /** Another agent with the same data behind it. */
  next(): Promise<TestAgent> {
    return startTestAgent({ issuer: this.issuer, database: this.agent.database });
  }

  async port(options: Partial<KeptPortOptions> = {}): Promise<KeptPort> {
    const token = (): Promise<string> => this.agent.token();
    const kept = await openKeptPort({ agentUrl: this.proxy.url, token, tickMs: 40, ...options });
    this.#ports.push(kept);
    return kept;
  }

  async session({ port }: KeptPort): Promise<Client> {
    const client = new Client({ host: '127.0.0.1', port, user: 'any', database: this.agent.database, ssl: false });
    this.#clients.push(client);
    client.on('error', () => undefined);
    await client.connect();
    return client;
  }

  /** Starts a statement; resolves once the server runs it. */
  async start(client: Client, seconds: number): Promise<{ readonly outcome: Promise<string> }> {
    const mark = `s${randomBytes(4).toString('hex')}`;
    const outcome = client.query(`select pg_sleep(${String(seconds)}) as ${mark}`).then(
      () => 'its result',
      (error: unknown) => (error as DatabaseError).code ?? 'no code',
    );
    const active = `select 1 from pg_stat_activity where state = 'active' and query like '%${mark}%' and pid <> pg_backend_pid()`;
    await until('the statement runs', async () => (await this.agent.postgres.sql(active)).length > 0);
    return { outcome };
  }

  /** Until the CLI has noticed: a port that reconnects. A delay is no harm that it should notice. */
  async harm(harm: Harm, kept: KeptPort): Promise<void> {
    const before = kept.events.length;
    switch (harm) {
      case 'cut':
        this.proxy.cut();
        break;
      case 'stall':
        this.proxy.stall(true);
        kept.wake();
        break;
      case 'drop':
        this.proxy.drop('up', 'down');
        break;
      case 'delay':
        this.proxy.delay(60);
        return;
    }
    await until('it is noticed', () => kept.events.slice(before).some(({ event }) => event === 'reconnecting'));
  }

  /** The network works again. A delay stays: it is there while all else happens. */
  heal(): void {
    this.proxy.stall(false);
    this.proxy.drop();
  }

  async reset(): Promise<void> {
    this.heal();
    this.proxy.delay(0);
    this.behind = portOf(this.agent);
    for (const client of this.#clients.splice(0)) void client.end().catch(() => undefined);
    await Promise.all(this.#ports.splice(0).map((port) => port.close()));
    this.answer();
  }

  async close(): Promise<void> {
    await this.reset();
    await this.proxy.close();
    await this.agent.close();
    await this.issuer.close();
    this.upstream.close();
  }
}

export function portOf({ agent }: TestAgent): number {
  return Number(new URL(agent.url).port);
}

export async function one(client: Client): Promise<boolean> {
  return (await client.query<{ one: number }>('select 1 as one')).rows[0]?.one === 1;
}

/** Answers nothing until told to; then all that it was asked, and what comes after. */
async function heldUpstream(): Promise<HttpUpstream & { answer(): void }> {
  let held: (() => void)[] = [];
  const upstream = await startHttpUpstream((seen, response) => held.push(() => response.end(`${seen.method} done`)));
  return {
    ...upstream,
    answer: () => {
      for (const each of held) each();
      held = [];
    },
  };
}

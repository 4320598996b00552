import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { startTestAgent, type TestAgent } from './agent.js';
import { buildCli } from './built-cli.js';
import { type PostgresServer, sharedPostgres } from './postgres-server.js';
import { Terminal, type TerminalOptions } from './terminal.js';
import { makeFolder } from './folders.js';

const HOOP = fileURLToPath(new URL('../../bin/run.js', import.meta.url));

const policies = (count: number, postgres: PostgresServer): string => `
apiVersion: hoop/v1
kind: ApprovalFlow
metadata: { name: dba-review }
spec: { reviewers: [{ groups: [dba], count: ${String(count)} }], wait: 5m }
---
apiVersion: hoop/v1
kind: ApprovalFlow
metadata: { name: contacts-review }
spec: { reviewers: [{ groups: [dba] }], wait: 5m, maxDuration: 1h, preview: true }
---
apiVersion: hoop/v1
kind: ApprovalFlow
metadata: { name: at-once }
spec: { reviewers: [{ groups: [dba] }], wait: 5s }
---
apiVersion: hoop/v1
kind: ApprovalFlow
metadata: { name: db-access }
spec: { reviewers: [{ groups: [dba] }], maxDuration: 1h, reasonRequired: true }
---
apiVersion: hoop/v1
kind: Connection
metadata: { name: ledger }
spec:
  type: postgres
  address: 127.0.0.1:${String(postgres.port)}
  database: postgres
  tls: { mode: disable }
  credentials: [{ groups: ['*'], username: ${postgres.app.username}, password: { env: APP_PASSWORD } }]
  access: { groups: [engineering], approval: db-access }
---
apiVersion: hoop/v1
kind: Policy
metadata: { name: production-sql }
spec:
  rules:
    - { name: where-required, when: sql.unqualifiedWrite, action: block, message: Say which rows. }
    - name: payments
      when: sql.writes.exists(t, t.name == "payments")
      action: approve
      approval: dba-review
      message: Writes to payments are checked by a database administrator.
    - { name: contacts, when: 'sql.writes.exists(t, t.name == "contacts")', action: approve, approval: contacts-review }
    - { name: customers, when: 'sql.writes.exists(t, t.name == "customers")', action: approve, approval: at-once }
  mask:
    - { name: pii, entities: [email, credit-card, us-ssn], strategy: partial }
`;

/** An agent, and people at terminals in front of it. */
export class ScreenStage {
  readonly #terminals: Terminal[] = [];
  readonly #folder = makeFolder('screens');

  private constructor(readonly agent: TestAgent) {}

  /** @param reviewers how many database administrators must approve writes to payments */
  static async open(reviewers: number): Promise<ScreenStage> {
    await buildCli();
    return new ScreenStage(await startTestAgent({ policies: policies(reviewers, await sharedPostgres()) }));
  }

  /** A terminal in which this person runs hoop. */
  async terminal(
    person: { readonly subject: string; readonly groups: readonly string[] },
    args: string,
    options: TerminalOptions = {},
  ): Promise<Terminal> {
    const env = {
      HOOP_TOKEN: await this.agent.token(person),
      HOOP_AGENT_URL: this.agent.agent.url,
      HOOP_CONFIG_DIR: join(this.#folder, person.subject),
      HOOP_KEYRING: 'file',
      PSQL_PAGER: 'cat',
      PSQL_HISTORY: '/dev/null',
      // Else tmux passes on what a CI job sets, and Ink draws nothing there.
      CI: 'false',
      ...options.env,
    };
    const command = `node ${HOOP} ${args}; echo "ended with $?"; exec cat`;
    const terminal = new Terminal(command, { columns: 80, rows: 24, ...options, env });
    this.#terminals.push(terminal);
    return terminal;
  }

  /** psql on a port that hoop opened. */
  async psql(url: string): Promise<Terminal> {
    const env = { PSQL_PAGER: 'cat', PSQL_HISTORY: '/dev/null' };
    const terminal = new Terminal(`psql -X '${url}'`, { columns: 100, rows: 24, env });
    this.#terminals.push(terminal);
    return terminal;
  }

  async close(): Promise<void> {
    for (const terminal of this.#terminals) terminal.close();
    await this.agent.close();
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

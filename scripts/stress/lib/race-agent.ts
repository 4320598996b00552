import { randomBytes } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startAgent } from '../../../src/agent/start.js';
import { startTestIssuer } from '../../../test/support/agent.js';

/** How long the flow `short` waits, in ms: what races against its end has about this long. */
export const SHORT_WAIT_MS = 1_500;

export interface RaceAgent {
  readonly url: string;
  readonly dir: string;
  /** How often the upstream was asked for each path. */
  readonly runs: ReadonlyMap<string, number>;
  readonly tokens: Readonly<Record<'ann' | 'dana' | 'dora', string>>;
  /** Ends the agent; its files stay for a look. */
  stop(): Promise<void>;
  remove(): void;
}

/** A real agent in this process, before an upstream that counts: every POST below /slow and /short needs one reviewer. */
export async function startRaceAgent(): Promise<RaceAgent> {
  const dir = mkdtempSync(join(tmpdir(), 'hoop-races-'));
  const runs = new Map<string, number>();
  const upstream = createServer((request, response) => {
    const path = request.url ?? '';
    runs.set(path, (runs.get(path) ?? 0) + 1);
    request.resume();
    response.end('done');
  });
  await new Promise<void>((resolve) => upstream.listen(0, '127.0.0.1', resolve));
  const issuer = await startTestIssuer();
  const conf = join(dir, 'conf');
  mkdirSync(conf);
  writeFileSync(join(dir, 'master.key'), `${randomBytes(32).toString('base64')}\n`, { mode: 0o600 });
  writeFileSync(join(conf, 'agent.yaml'), resources(issuer.issuer, (upstream.address() as AddressInfo).port));
  const silent = (): void => undefined;
  const agent = await startAgent(
    conf,
    {},
    { info: silent, warn: silent, error: console.error, failure: console.error },
  );
  const token = (sub: string, group: string): Promise<string> =>
    issuer.token({ sub, email: `${sub}@example.test`, groups: [group] });
  return {
    url: agent.url,
    dir,
    runs,
    tokens: {
      ann: await token('ann', 'engineering'),
      dana: await token('dana', 'dba'),
      dora: await token('dora', 'dba'),
    },
    stop: async () => {
      await agent.close(5_000);
      await issuer.close();
      upstream.closeAllConnections();
      upstream.close();
    },
    remove: () => {
      rmSync(dir, { recursive: true, force: true });
    },
  };
}

function resources(issuer: string, port: number): string {
  const flow = (name: string, wait: string): string => `---
apiVersion: hoop/v1
kind: ApprovalFlow
metadata: { name: ${name} }
spec: { reviewers: [{ groups: [dba], count: 1 }], wait: ${wait}, maxDuration: 1h }
`;
  const rule = (name: string): string =>
    `    - { name: ${name}, when: 'http.method == "POST" && http.path.startsWith("/${name}/")', action: approve, approval: ${name} }\n`;
  return `apiVersion: hoop/v1
kind: Agent
metadata: { name: races }
spec:
  listen: { host: 127.0.0.1, port: 0 }
  store: { driver: sqlite, path: ../state/hoop.db }
  recordings: { dir: ../recordings, durability: flush }
  masterKey: { file: ../master.key }
---
apiVersion: hoop/v1
kind: IdentityProvider
metadata: { name: test }
spec: { issuer: '${issuer}', audience: hoop, clientId: hoop-cli, reviewers: true }
---
apiVersion: hoop/v1
kind: Connection
metadata: { name: web }
spec:
  type: http
  url: http://127.0.0.1:${String(port)}
  credentials: [{ groups: ['*'], headers: {} }]
  access: { groups: [engineering] }
---
apiVersion: hoop/v1
kind: Policy
metadata: { name: writes }
spec:
  rules:
${rule('slow')}${rule('short')}${flow('slow', '5m')}${flow('short', `${String(SHORT_WAIT_MS)}ms`)}`;
}

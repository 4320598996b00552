import { createHmac, randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { dirname } from 'node:path';
import { Readable } from 'node:stream';
import { createApprovals, type Approvals } from '../approvals/approvals.js';
import type { AgentResource } from '../core/resources.js';
import { createTokenVerifier, type TokenVerifier } from '../identity/token-verifier.js';
import { loadGrammar } from '../protocols/postgres/facts/analyze.js';
import type { RecordingKey } from '../recording/keys.js';
import { readRecording, recordingPath } from '../recording/read.js';
import { openRecordings, type Recordings } from '../recording/recordings.js';
import { loadMasterKey } from '../secrets/master-key.js';
import { createSecretResolver, type SecretResolver } from '../secrets/resolver.js';
import { readSecretFile } from '../secrets/secret-file.js';
import { openStore, type Store } from '../store/store.js';
import type { TunnelStream } from '../tunnel/stream.js';
import { drain } from './drain.js';
import { CancelRegistry } from './fronts/postgres/cancel-registry.js';
import { CatalogKeepers } from './fronts/postgres/catalog-keepers.js';
import { acceptPostgres } from './fronts/postgres/accept-postgres.js';
import { idMaker } from './id-maker.js';
import { HttpFront } from './fronts/http/http-front.js';
import type { HttpDependencies } from './http/dependencies.js';
import { createMetrics, type Metrics } from './http/metrics.js';
import { createHttpServer } from './http/server.js';
import { LiveResources } from './live-resources.js';
import { keptKey, recordingKey } from './kept-keys.js';
import type { AgentLog } from './log.js';
import { LoginLimit } from './login-limit.js';
import { isHttpCaller, type Caller, type LiveSession, type SessionHost } from './session-host.js';
import { SessionSlots } from './session-slots.js';
import { card } from './card.js';
import { notCarriedOut } from './not-carried-out.js';
import { systemClock } from './system-clock.js';
import { readTls } from './tls-files.js';
import { UsageLimits } from './usage/usage-limits.js';
import { TunnelAcceptor } from './upgrade.js';

export interface RunningAgent {
  /** `http://127.0.0.1:8443` */
  readonly url: string;
  /** Reads the files again: all or nothing. False when they have faults; then nothing changed. */
  reload(): Promise<boolean>;
  /** Takes nothing new, lets running statements end within `graceMs`, seals every session. */
  close(graceMs: number): Promise<void>;
}

/** Sockets above the sessions' own: REST calls, logins, half-open peers. */
const SPARE_CONNECTIONS = 1_000;
const HASH_KEY_BYTES = 32;

/**
 * Starts the agent on a folder of resource files.
 *
 * @throws HoopError config_invalid with every fault, port_taken, recording_failed
 */
export async function startAgent(
  dir: string,
  env: Readonly<Record<string, string | undefined>>,
  log: AgentLog,
): Promise<RunningAgent> {
  const live = await LiveResources.load(dir, env);
  await prepare(live, log);
  const agent = live.agent;
  const clock = systemClock();
  const resolveSecret = createSecretResolver({
    env,
    readFile: readSecretFile,
    warn: (message) => {
      log.warn(message);
    },
  });
  const store = await openAgentStore(agent, resolveSecret, log);
  const newId = idMaker();
  const key = recordingKey(store);
  let recordings: Recordings | undefined;
  try {
    recordings = openRecordings({
      dir: agent.recordings.dir,
      durability: agent.recordings.durability,
      key,
      clock,
      index: store.recordingIndex,
      onFault: ({ message, session }) => {
        log.error(message, session === undefined ? {} : { session });
      },
    });
    await reportRecovery(recordings, log);
    const approvals = createApprovals({
      store: store.requests,
      flow: (name) => live.current.approvalFlows.find((flow) => flow.name === name),
      clock,
      newId,
      setTimer: (callback: () => void, delayMs: number) => setTimeout(callback, delayMs),
      clearTimer: clearTimeout,
      onEvent: ({ type, request }) => {
        log.info(`approval ${type}`, { request: request.id, connection: request.connection, state: request.state });
      },
    });
    return await serve({ live, store, recordings, approvals, key, clock, resolveSecret, newId, log });
  } catch (error) {
    await recordings?.close();
    store.close();
    throw error;
  }
}

async function prepare(live: LiveResources, log: AgentLog): Promise<void> {
  for (const setting of notCarriedOut(live.current)) log.warn(`not in this version: ${setting}`);
  await loadGrammar();
}

interface Parts {
  readonly live: LiveResources;
  readonly store: Store;
  readonly recordings: Recordings;
  readonly approvals: Approvals;
  readonly key: RecordingKey;
  readonly clock: ReturnType<typeof systemClock>;
  readonly resolveSecret: SecretResolver;
  readonly newId: () => string;
  readonly log: AgentLog;
}

async function serve(parts: Parts): Promise<RunningAgent> {
  const { live, approvals, clock, log } = parts;
  const { agent } = live;
  const drives = new Set<LiveSession>();
  const metrics = agentMetrics(parts.store, drives);
  let listening = false;
  let verifier = createTokenVerifier(live.current.identityProviders, { clock });
  const logins = new LoginLimit({ perMinute: agent.limits.loginsPerMinute, nowMs: () => performance.now() });
  const host = sessionHost(parts, drives, metrics);
  const http = httpFront(parts, host, logins);
  const server = createHttpServer({
    ...(agent.listen.tls === undefined ? {} : { tls: await readTls(agent.listen.tls) }),
    listen: agent.listen,
    publicUrl: agent.publicUrl,
    maxConnections: agent.limits.sessions + SPARE_CONNECTIONS,
    logins,
    deps: dependencies(parts, metrics, { verifier: () => verifier, listening: () => listening }),
    onUpgrade: (request, socket, head) => {
      tunnels.upgrade(request, socket, head);
    },
    direct: http,
  });
  const tunnels = new TunnelAcceptor({
    authenticate: (request) => server.authenticate(request),
    connections: () => live.current.connections,
    logins,
    accept: acceptStream(host, http),
    log,
  });
  const url = urlOf(agent, await server.listen());
  listening = true;
  return {
    url,
    reload: async () => {
      const done = await reload(parts);
      if (done) verifier = createTokenVerifier(live.current.identityProviders, { clock });
      return done;
    },
    close: async (graceMs) => {
      listening = false;
      approvals.close();
      await drain(drives, graceMs);
      await http.close();
      tunnels.closeAll();
      await server.close(1_000);
      await closeStores(parts);
    },
  };
}

/** Hands a tunnel's stream to the front of its connection's protocol. */
function acceptStream(host: SessionHost, http: HttpFront): (stream: TunnelStream, caller: Caller) => void {
  const shared = { cancels: new CancelRegistry(), catalogs: new CatalogKeepers(() => host.monotonicMs()) };
  return (stream, caller) => {
    if (isHttpCaller(caller)) http.accept(stream, caller);
    else acceptPostgres(stream, caller, host, shared);
  };
}

function httpFront({ live, store, clock, log }: Parts, host: SessionHost, logins: LoginLimit): HttpFront {
  const complain = (message: string): void => {
    log.error(message);
  };
  return new HttpFront({
    host,
    usage: new UsageLimits(store.usage, () => clock.nowMs(), complain),
    connections: () => live.current.connections,
    subject: (identity, find) => logins.subject(identity, find),
  });
}

function agentMetrics(store: Store, drives: ReadonlySet<LiveSession>): Metrics {
  const pendingRequests = (): number => store.requests.list({ state: 'pending' }).length;
  return createMetrics({ liveSessions: () => drives.size, pendingRequests });
}

async function closeStores({ recordings, store }: Parts): Promise<void> {
  await recordings.close();
  store.close();
}

async function reload({ live, log }: Parts): Promise<boolean> {
  const faults = await live.reload();
  for (const fault of faults) log.error(`not reloaded: ${fault}`);
  if (faults.length === 0) log.info('reloaded', { policy: live.current.policySet.hash });
  return faults.length === 0;
}

/** What the routes see of the agent. */
function dependencies(
  parts: Parts,
  metrics: Metrics,
  now: { verifier(): TokenVerifier; listening(): boolean },
): HttpDependencies {
  const { live, store, recordings, approvals, log } = parts;
  return {
    verify: (token) => now.verifier().verify(token),
    card: () => card(live, parts.key),
    connections: () => live.current.connections,
    roles: () => live.agent.roles,
    approvals,
    sessions: {
      list: (filter) => store.sessions.list(filter),
      get: (id) => {
        const known = store.sessions.get(id);
        return known === undefined ? undefined : recordings.withLive(known);
      },
    },
    openRecording: (session) => {
      const path = recordingPath(live.agent.recordings.dir, session.file);
      // Gone, e.g. by age: said before an answer begins, since a broken answer says nothing.
      return Promise.resolve(existsSync(path) ? Readable.from(readRecording(path)) : undefined);
    },
    readiness: () => [
      { name: 'configuration', ready: true },
      { name: 'store', ready: store.isOpen },
      { name: 'recordings', ready: recordings.writable() },
      { name: 'listening', ready: now.listening() },
    ],
    metrics,
    onFailure: (route, error) => {
      log.failure(`request failed: ${route}`, error);
    },
  };
}

function sessionHost(parts: Parts, drives: Set<LiveSession>, metrics: Metrics): SessionHost {
  const { live, recordings, approvals, clock, resolveSecret, newId, log } = parts;
  const hashKey = keptKey(parts.store, 'mask-hash', () => randomBytes(HASH_KEY_BYTES));
  return {
    clock,
    monotonicMs: () => performance.now(),
    newId,
    policy: () => live.current.policySet,
    entities: () => live.current.entities,
    limits: () => live.agent.limits,
    hash: (input) => createHmac('sha256', hashKey).update(input).digest(),
    approvals,
    resolveSecret,
    openRecording: (start, firstWrite) => recordings.open(start, firstWrite),
    drives,
    slots: new SessionSlots(),
    log: (message, fields) => {
      log.warn(message, fields);
    },
    decided: (action) => {
      metrics.decided(action);
    },
  };
}

async function openAgentStore(agent: AgentResource, resolve: SecretResolver, log: AgentLog): Promise<Store> {
  const masterKey = await loadMasterKey(resolve, agent.masterKey);
  await mkdir(dirname(agent.store.path), { recursive: true, mode: 0o700 });
  return openStore({
    path: agent.store.path,
    masterKey,
    onFault: () => {
      log.error('the store could not be written; it is tried again');
    },
  });
}

async function reportRecovery(recordings: Recordings, log: AgentLog): Promise<void> {
  const report = await recordings.recover();
  if (report.sealed.length > 0) log.warn(`sealed ${String(report.sealed.length)} sessions that a crash left open`);
  for (const broken of report.broken)
    log.error(`recording does not hold: ${broken.message}`, { file: broken.file, kind: broken.kind });
}

function urlOf(agent: AgentResource, port: number): string {
  const scheme = agent.listen.tls === undefined ? 'http' : 'https';
  const { host } = agent.listen;
  return `${scheme}://${host.includes(':') ? `[${host}]` : host}:${String(port)}`;
}

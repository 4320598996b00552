import type { AgentResource } from '../core/resources.js';
import { createTokenVerifier, type TokenVerifier } from '../identity/token-verifier.js';
import { accessLookup } from './access-guard.js';
import { addArchiveFigures } from './archive-figures.js';
import { drain } from './drain.js';
import { HttpFront } from './fronts/http/http-front.js';
import { acceptCancel, acceptPostgres } from './fronts/postgres/accept-postgres.js';
import { CancelRegistry } from './fronts/postgres/cancel-registry.js';
import { CatalogKeepers } from './fronts/postgres/catalog-keepers.js';
import { TextStudy } from './fronts/postgres/text-study.js';
import { createMetrics, type Metrics } from './http/metrics.js';
import { createHttpServer, type HttpServer, type HttpServerOptions } from './http/server.js';
import { LoginLimit } from './login-limit.js';
import type { Housekeeping } from '../recording/housekeeping.js';
import { startHousekeeping } from './housekeeping.js';
import { keepPolicies } from './audit/keep-policies.js';
import type { Parts } from './parts.js';
import { routeDependencies } from './route-dependencies.js';
import { isHttpCaller, type LiveSession, type SessionHost } from './session-host.js';
import { sessionHost } from './session-hosting.js';
import { readTls } from './tls-files.js';
import { TunnelAcceptor, type UpgradeOptions } from './upgrade.js';
import { UsageLimits } from './usage/usage-limits.js';

export interface RunningAgent {
  /** `http://127.0.0.1:8443` */
  readonly url: string;
  /** Reads the files again: all or nothing. False when they have faults; then nothing changed. */
  reload(): Promise<boolean>;
  /** Takes nothing new, lets running statements end within `graceMs`, seals every session. */
  close(graceMs: number): Promise<void>;
}

/** What waits for a sink may go out for so long; the rest is on disk. */
const SINKS_GRACE_MS = 2_000;
/** Sockets above the sessions' own: REST calls, logins; and as many that have asked for nothing. */
const SPARE_CONNECTIONS = 1_000;

/** Opens the agent's port on parts that are open; closing it closes them. */
export async function serve(parts: Parts): Promise<RunningAgent> {
  const { approvals, log, tracing } = parts;
  const { agent } = parts.live;
  const drives = new Set<LiveSession>();
  const metrics = agentMetrics(parts, drives);
  let [listening, verifier] = [false, newVerifier(parts)];
  const logins = new LoginLimit({ perMinute: agent.limits.loginsPerMinute, nowMs: () => performance.now() });
  const host = sessionHost(parts, drives, metrics);
  const http = httpFront(parts, host, logins);
  const server = createHttpServer({
    ...(agent.listen.tls === undefined ? {} : { tls: await readTls(agent.listen.tls) }),
    listen: agent.listen,
    publicUrl: agent.publicUrl,
    ...bounds(agent.limits.sessions),
    logins,
    deps: routeDependencies(parts, metrics, host, { verifier: () => verifier, listening: () => listening }),
    onUpgrade: (...upgrade) => {
      tunnels.upgrade(...upgrade);
    },
    direct: http,
  });
  const tunnels = new TunnelAcceptor({
    authenticate: (request) => server.authenticate(request),
    ...reachable(parts),
    logins,
    ...acceptStreams(host, http),
    ...{ log, tracing },
  });
  const url = await listen(parts, server);
  listening = true;
  const housekeeping = startHousekeeping(parts);
  return {
    url,
    reload: async () => {
      const done = await reload(parts);
      if (done) verifier = newVerifier(parts);
      return done;
    },
    close: async (graceMs) => {
      listening = false;
      tunnels.retire();
      approvals.close();
      await drain(drives, graceMs);
      await http.close();
      tunnels.closeAll();
      await server.close(1_000);
      await closeStores(parts, housekeeping);
    },
  };
}

function bounds(sessions: number): Pick<HttpServerOptions, 'maxConnections' | 'maxHalfOpen'> {
  return { maxConnections: sessions + 2 * SPARE_CONNECTIONS, maxHalfOpen: SPARE_CONNECTIONS };
}

function newVerifier({ live, clock, secrets }: Parts): TokenVerifier {
  return createTokenVerifier(live.current.identityProviders, { clock, reveal: secrets.resolve });
}

/** Hands a tunnel's stream to the front of its connection's protocol. */
function acceptStreams(host: SessionHost, http: HttpFront): Pick<UpgradeOptions, 'accept' | 'acceptLate'> {
  const shared = {
    cancels: new CancelRegistry(),
    catalogs: new CatalogKeepers(() => host.monotonicMs()),
    study: new TextStudy(),
  };
  return {
    accept: (stream, caller) => {
      if (isHttpCaller(caller)) http.accept(stream, caller);
      else acceptPostgres(stream, caller, host, shared);
    },
    acceptLate: (stream, caller, why) => {
      if (isHttpCaller(caller)) stream.destroy(why);
      else acceptCancel(stream, caller, shared, why);
    },
  };
}

/** Connections as configured now, and to whom those that need it are granted now. */
function reachable({ live, approvals }: Parts): Pick<UpgradeOptions, 'connections' | 'access'> {
  return {
    connections: () => live.current.connections,
    access: (identity) => accessLookup(approvals, identity),
  };
}

function httpFront(parts: Parts, host: SessionHost, logins: LoginLimit): HttpFront {
  const { store, clock, log } = parts;
  const complain = (message: string): void => {
    log.error(message);
  };
  return new HttpFront({
    host,
    usage: new UsageLimits(store.usage, () => clock.nowMs(), complain),
    ...reachable(parts),
    subject: (identity, find) => logins.subject(identity, find),
  });
}

function agentMetrics({ store, archive, clock }: Parts, drives: ReadonlySet<LiveSession>): Metrics {
  const pendingRequests = (): number => store.requests.list({ state: 'pending' }).length;
  const metrics = createMetrics({ liveSessions: () => drives.size, pendingRequests });
  if (archive !== undefined) addArchiveFigures(metrics.registry, archive, () => clock.nowMs());
  return metrics;
}

/** From the moment that the agent serves. */
async function listen(parts: Parts, server: HttpServer): Promise<string> {
  const url = urlOf(parts.live.agent, await server.listen());
  parts.secrets.rotation.start();
  return url;
}

async function closeStores(parts: Parts, housekeeping: Housekeeping): Promise<void> {
  const { recordings, store, secrets, sinks, archive, tracing } = parts;
  await Promise.all([sinks.close(SINKS_GRACE_MS), archive?.close(SINKS_GRACE_MS), tracing?.close(SINKS_GRACE_MS)]);
  secrets.rotation.stop();
  await housekeeping.close();
  await recordings.close();
  store.close();
}

async function reload(parts: Parts): Promise<boolean> {
  const { live, log } = parts;
  const faults = await live.reload();
  for (const fault of faults) log.error(`not reloaded: ${fault}`);
  if (faults.length > 0) return false;
  keepPolicies(parts);
  for (const fault of await parts.sinks.configure(live.current.sinks, live.current.approvalFlows)) log.error(fault);
  log.info('reloaded', { policy: live.current.policySet.hash });
  return true;
}

function urlOf(agent: AgentResource, port: number): string {
  const scheme = agent.listen.tls === undefined ? 'http' : 'https';
  const { host } = agent.listen;
  return `${scheme}://${host.includes(':') ? `[${host}]` : host}:${String(port)}`;
}

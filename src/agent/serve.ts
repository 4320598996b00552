import type { Resources } from '../config/resources.js';
import type { AgentResource } from '../core/resources.js';
import { createTokenVerifier, type TokenVerifier } from '../identity/token-verifier.js';
import { accessLookup } from './callers/access-guard.js';
import { addArchiveFigures } from './keeping/archive-figures.js';
import { approvalRecords } from './holds/open-approval-records.js';
import type { ApprovalRecords } from './holds/approval-records.js';
import { currentCaller, type Reach } from './callers/current-caller.js';
import { drain } from './drain.js';
import { warnOfMissing } from './credentials/missing-secrets.js';
import { HttpFront, type HttpFrontOptions } from './fronts/http/http-front.js';
import { acceptCancel, acceptPostgres } from './fronts/postgres/accept-postgres.js';
import { CancelRegistry } from './fronts/postgres/cancel-registry.js';
import { CatalogKeepers } from './fronts/postgres/catalog-keepers.js';
import { FailureBudgets } from '../protocols/postgres/lineage/failure-budget.js';
import { TextStudy } from './fronts/postgres/text-study.js';
import { createAddressOf } from './http/client-address.js';
import { createMetrics, type Metrics } from './http/metrics.js';
import { createHttpServer, type HttpServer } from './http/server.js';
import type { HttpServerOptions } from './http/server-options.js';
import { LoginLimit } from './callers/login-limit.js';
import type { Housekeeping } from '../recording/folder/housekeeping.js';
import { startHousekeeping } from './keeping/housekeeping.js';
import { keepPolicies } from './audit/keep-policies.js';
import type { Parts } from './parts.js';
import { routeDependencies } from './route-dependencies.js';
import { isHttpCaller, type LiveSession, type SessionHost } from './sessions/session-host.js';
import { sessionHost } from './sessions/session-hosting.js';
import { readTls } from './resources/tls-files.js';
import { TokenWatches } from './callers/token-watches.js';
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
  const { log, live, tracing } = parts;
  const { agent } = live;
  const drives = new Set<LiveSession>();
  const metrics = agentMetrics(parts, drives);
  let [listening, verifier] = [false, newVerifier(parts, live.current)];
  const logins = new LoginLimit({ perMinute: agent.limits.loginsPerMinute, nowMs: () => performance.now() });
  const host = sessionHost(parts, drives, metrics);
  const records = approvalRecords(parts, host.withoutSecrets);
  const watches = tokenWatches(parts);
  const addressOf = createAddressOf(agent.listen.trustedProxies);
  const http = httpFront(parts, host, { logins, watches, addressOf });
  const server = createHttpServer({
    ...(agent.listen.tls === undefined ? {} : { tls: await readTls(agent.listen.tls) }),
    listen: agent.listen,
    publicUrl: agent.publicUrl,
    ...bounds(agent.limits.sessions),
    ...{ logins, addressOf },
    deps: routeDependencies(parts, metrics, host, { verifier: () => verifier, listening: () => listening }),
    onUpgrade: (...upgrade) => {
      tunnels.upgrade(...upgrade);
    },
    direct: http,
    watches,
  });
  const tunnels = new TunnelAcceptor({
    authenticate: (request) => server.authenticate(request),
    ...reachable(parts),
    ...{ watches, logins, addressOf },
    ...acceptStreams(host, http, reachable(parts)),
    ...{ log, tracing, registry: metrics.registry },
  });
  const url = await listen(parts, server);
  listening = true;
  const housekeeping = startHousekeeping(parts);
  return {
    url,
    reload: () =>
      reload(parts, (next) => {
        verifier = next;
        host.access.recheck();
        watches.look();
      }),
    close: async (graceMs) => {
      listening = false;
      await close({ parts, drives, http, tunnels, server, records, housekeeping }, graceMs);
    },
  };
}

function tokenWatches({ live }: Parts): TokenWatches {
  return new TokenWatches({
    trusts: ({ issuer }) => live.current.identityProviders.some((provider) => provider.issuer === issuer),
  });
}

function bounds(sessions: number): Pick<HttpServerOptions, 'maxConnections' | 'maxHalfOpen'> {
  return { maxConnections: sessions + 2 * SPARE_CONNECTIONS, maxHalfOpen: SPARE_CONNECTIONS };
}

function newVerifier({ clock, secrets }: Parts, { identityProviders }: Resources): TokenVerifier {
  return createTokenVerifier(identityProviders, { clock, reveal: secrets.resolve });
}

/** Hands a tunnel's stream to the front of its connection's protocol. */
function acceptStreams(
  host: SessionHost,
  http: HttpFront,
  reach: Reach,
): Pick<UpgradeOptions, 'accept' | 'acceptLate'> {
  const shared = {
    cancels: new CancelRegistry(),
    catalogs: new CatalogKeepers(() => host.monotonicMs()),
    failures: new FailureBudgets(),
    study: new TextStudy(),
  };
  return {
    accept: (stream, caller) => {
      // Requests of HTTP are looked at one by one.
      if (isHttpCaller(caller)) http.accept(stream, caller);
      else acceptPostgres(stream, { caller, current: () => currentCaller(caller, reach) }, host, shared);
    },
    acceptLate: (stream, caller, why) => {
      if (isHttpCaller(caller)) stream.destroy(why);
      else acceptCancel(stream, caller, shared, why);
    },
  };
}

function reachable({ live, approvals }: Parts): Reach {
  return {
    connections: () => live.current.connections,
    access: (identity) => accessLookup(approvals, identity),
  };
}

function httpFront(
  parts: Parts,
  host: SessionHost,
  { logins, ...callers }: Pick<HttpFrontOptions, 'watches' | 'addressOf'> & { readonly logins: LoginLimit },
): HttpFront {
  const { store, clock, log } = parts;
  const complain = (message: string): void => {
    log.error(message);
  };
  return new HttpFront({
    host,
    usage: new UsageLimits(store.usage, () => clock.nowMs(), complain),
    ...reachable(parts),
    subject: (identity, find) => logins.subject(identity, find),
    ...callers,
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

interface Serving {
  readonly parts: Parts;
  readonly drives: ReadonlySet<LiveSession>;
  readonly http: HttpFront;
  readonly tunnels: TunnelAcceptor;
  readonly server: HttpServer;
  readonly records: ApprovalRecords;
  readonly housekeeping: Housekeeping;
}

/** What runs may end within the grace; then everything is sealed and closed, what others need last. */
async function close(serving: Serving, graceMs: number): Promise<void> {
  const { parts, drives, http, tunnels, server, records, housekeeping } = serving;
  tunnels.retire();
  parts.approvals.close();
  await drain(drives, graceMs);
  await http.close();
  tunnels.closeAll();
  await server.close(1_000);
  await records.settled();
  await closeStores(parts, housekeeping);
}

async function closeStores(parts: Parts, housekeeping: Housekeeping): Promise<void> {
  const { recordings, store, secrets, sinks, archive, tracing } = parts;
  await Promise.all([sinks.close(SINKS_GRACE_MS), archive?.close(SINKS_GRACE_MS), tracing?.close(SINKS_GRACE_MS)]);
  secrets.rotation.stop();
  await housekeeping.close();
  await recordings.close();
  store.close();
}

/** @param take puts the verifier of the new providers in the place of the old one */
async function reload(parts: Parts, take: (verifier: TokenVerifier) => void): Promise<boolean> {
  const { live, log } = parts;
  const done = await live.reload((next) => newVerifier(parts, next));
  if ('faults' in done) {
    for (const fault of done.faults) log.error(`not reloaded: ${fault}`);
    return false;
  }
  if (done.made === undefined) return true;
  // In the same turn: nobody may come in by the old providers under the new rules.
  take(done.made);
  keepPolicies(parts);
  for (const fault of await parts.sinks.configure(live.current.sinks, live.current.approvalFlows)) log.error(fault);
  log.info('reloaded', { policy: live.current.policySet.hash });
  await warnOfMissing(live, parts.secrets.resolve, log);
  return true;
}

function urlOf(agent: AgentResource, port: number): string {
  const scheme = agent.listen.tls === undefined ? 'http' : 'https';
  const { host } = agent.listen;
  return `${scheme}://${host.includes(':') ? `[${host}]` : host}:${String(port)}`;
}

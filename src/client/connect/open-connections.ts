import { isAbsolute, resolve } from 'node:path';
import { createSecureContext, type SecureContext } from 'node:tls';
import type { ConnectionSummary } from '../../core/connection-summary.js';
import { HoopError } from '../../core/errors.js';
import { nearest } from '../../core/nearest.js';
import type { TraceContext } from '../../core/trace-context.js';
import { dialTunnel, type DialOptions, type TunnelClient } from '../../tunnel/dial.js';
import type { AgentApi } from '../agent-api.js';
import { advised } from '../given-token.js';
import { environmentOfAll, type Environment, type OpenPlace, userNameFor } from '../child/environment.js';
import { openForward, type Forward, type Traffic } from '../ports/forward.js';
import { localCertificate } from '../ports/local-certificate.js';
import {
  listenOnPort,
  listenOnRememberedPort,
  listenOnSocket,
  requireLoopback,
  type PortMemory,
} from '../ports/local-listener.js';
import { guardFor, type PortGuard, type PortRule } from '../ports/port-guard.js';
import type { PortKey } from '../ports/port-key.js';
import { TunnelKeeper, type ConnectionEvent } from '../tunnels/tunnel-keeper.js';
import { watchWake, type WakeWatch } from '../tunnels/wake-watch.js';

/** Where the local end shall be. `tlsFolder`: TLS is offered, with the certificate kept in that folder. */
export type Listen =
  | { readonly kind: 'remembered'; readonly host: string; readonly ports: PortMemory; readonly tlsFolder?: string }
  /** 0: any free port, of this run alone. */
  | { readonly kind: 'port'; readonly host: string; readonly port: number; readonly tlsFolder?: string }
  | { readonly kind: 'socket'; readonly path: string };

/** The agent as a caller reaches it. */
export interface Access {
  readonly api: Pick<AgentApi, 'get' | 'url'> & Partial<Pick<AgentApi, 'given'>>;
  /** Valid at the moment of the call. */
  readonly token: () => Promise<string>;
  /** Resolves once the login is gone that tokens came from; absent where they come from elsewhere. */
  readonly loggedOut?: ((ended: AbortSignal) => Promise<void>) | undefined;
  readonly caFile?: string | undefined;
  readonly reason?: string | undefined;
  readonly correlationId?: string | undefined;
  /** The place in a trace that whatever is done belongs to. */
  readonly trace?: TraceContext | undefined;
}

/** What a caller has to know of one connection before using it. */
export interface Target {
  readonly connection: string;
  readonly type: string;
  readonly database: string;
  readonly user: string;
}

export interface OpenConnections {
  readonly places: readonly OpenPlace[];
  readonly environment: Environment;
  /** By connection, so far. */
  traffic(): ReadonlyMap<string, Traffic>;
  /** Resolves when the ports were closed since the caller has logged out. */
  readonly loggedOut: Promise<void>;
  close(): Promise<void>;
}

/**
 * Looks the connections up, in the order given.
 *
 * @throws HoopError usage for a name given twice; no_access, the same for one that is not there and one that is not the caller's
 */
export async function findTargets(access: Access, names: readonly string[]): Promise<readonly Target[]> {
  if (new Set(names).size !== names.length) throw new HoopError('usage', 'a connection is named twice');
  const [listed, caller] = await Promise.all([
    access.api.get<readonly ConnectionSummary[]>('/v1/connections'),
    access.api.get<{ readonly email?: string }>('/v1/whoami'),
  ]);
  const user = userNameFor(caller.email ?? '');
  return names.map((name) => {
    const found = listed.find((connection) => connection.name === name);
    if (found === undefined) throw noAccess(name, listed);
    if (found.access === 'needs approval') throw accessNeeded(found.name);
    return { connection: found.name, type: found.type, database: found.database, user };
  });
}

/** Names of those that are the caller's are no secret to the caller; of others nothing is said. */
function noAccess(name: string, listed: readonly ConnectionSummary[]): HoopError {
  const meant = nearest(
    name,
    listed.map((connection) => connection.name),
  );
  return new HoopError('no_access', `no access to the connection ${name}`, {
    why: 'there is none of that name that you may use',
    ...(meant === undefined
      ? {}
      : { suggestion: `did you mean ${meant}? \`hoop connections\` lists what you may use` }),
  });
}

/** The agent would say the same, once it is asked for a tunnel. */
function accessNeeded(name: string): HoopError {
  return new HoopError('access_needed', `access to ${name} needs an approved request`, {
    why: 'none of yours is approved and still good',
    suggestion: `ask with: hoop request ${name} --duration 1h --reason TEXT`,
  });
}

/** A tunnel to one connection, with a fresh token. Throws as `dialTunnel` does. */
export async function dial(
  access: Access,
  connection: string,
  portKey?: PortKey,
  more: Pick<DialOptions, 'resumes'> = {},
): Promise<TunnelClient> {
  const options: { -readonly [Key in keyof DialOptions]: DialOptions[Key] } = {
    agentUrl: access.api.url,
    connection,
    token: await access.token(),
    ...more,
  };
  if (access.caFile !== undefined && access.caFile !== '') options.caFile = access.caFile;
  if (access.correlationId !== undefined) options.correlationId = access.correlationId;
  if (access.trace !== undefined) options.trace = access.trace;
  if (access.reason !== undefined) options.reason = access.reason;
  if (portKey !== undefined) options.portKeyHash = portKey.hash;
  return dialTunnel(options).catch((error: unknown) => {
    throw advised(error, access.api.given);
  });
}

/**
 * Opens a local port for each connection: all of them, or none.
 *
 * @param rule who may use the ports
 * @throws HoopError no_access, port_taken, unreachable, not_in_version, usage
 */
export async function openConnections(
  access: Access,
  names: readonly string[],
  listen: Listen,
  onEvent: (event: ConnectionEvent) => void,
  rule: PortRule = 'user',
): Promise<OpenConnections> {
  if (listen.kind !== 'socket') requireLoopback(listen.host);
  const shared = { ...access, token: onceAtATime(access.token) };
  const targets = await findTargets(shared, names);
  // Before anything is opened: what can't be guarded gets no port at all.
  const guards = targets.map(({ type }) => guardFor(type, rule, listen.kind === 'socket'));
  const tls = listen.kind === 'socket' || listen.tlsFolder === undefined ? undefined : await localTls(listen.tlsFolder);
  if (tls !== undefined) requirePostgres(targets);
  const wake = watchWake();
  const opened: { readonly forward: Forward; readonly place: OpenPlace }[] = [];
  const ended = new AbortController();
  const close = async (): Promise<void> => {
    if (ended.signal.aborted) return;
    ended.abort();
    wake.close();
    await Promise.all(opened.map(({ forward }) => forward.close()));
  };
  try {
    for (const [index, target] of targets.entries()) {
      const guard = guards[index] ?? {};
      const { key, password } = guard;
      const forward = await openOne(shared, target, listen, { guard, tls: tls?.context, wake, onEvent });
      const place: OpenPlace = {
        ...target,
        address: forward.address,
        ...(tls === undefined ? {} : { certPath: tls.certPath }),
        ...(key === undefined ? {} : { key: key.key }),
        ...(password === undefined ? {} : { password: password.text }),
      };
      opened.push({ forward, place });
    }
    const places = opened.map(({ place }) => place);
    const traffic = (): ReadonlyMap<string, Traffic> =>
      new Map(opened.map(({ forward }) => [forward.connection, forward.traffic()]));
    const loggedOut = (access.loggedOut?.(ended.signal) ?? never()).then(close, never);
    return { places, environment: environmentOfAll(places), traffic, loggedOut, close };
  } catch (error) {
    await close();
    throw error;
  }
}

const never = (): Promise<never> => new Promise<never>(() => undefined);

/** Tunnels that come back together ask for one token, not each for its own. */
function onceAtATime(token: () => Promise<string>): () => Promise<string> {
  let asked: Promise<string> | undefined;
  return () => {
    asked ??= token().finally(() => {
      asked = undefined;
    });
    return asked;
  };
}

function requirePostgres(targets: readonly Target[]): void {
  const other = targets.find(({ type }) => type !== 'postgres');
  if (other === undefined) return;
  throw new HoopError('usage', '--tls is for Postgres connections', {
    why: `${other.connection} is of type ${other.type}, whose port speaks plain HTTP on loopback`,
    suggestion: 'open it without --tls; the way to the agent is protected by the tunnel',
  });
}

async function localTls(folder: string): Promise<{ readonly context: SecureContext; readonly certPath: string }> {
  const { cert, key, certPath } = await localCertificate(folder);
  return { context: createSecureContext({ cert, key, minVersion: 'TLSv1.2' }), certPath };
}

interface PortOptions {
  readonly guard: PortGuard;
  readonly tls: SecureContext | undefined;
  readonly wake: WakeWatch;
  readonly onEvent: (event: ConnectionEvent) => void;
}

async function openOne(
  access: Access,
  { connection, type }: Target,
  listen: Listen,
  { guard, tls, wake, onEvent }: PortOptions,
): Promise<Forward> {
  const dialAgain = (): Promise<TunnelClient> => dial(access, connection, guard.key, { resumes: true });
  const keeper = new TunnelKeeper({ connection, dial: dialAgain, onEvent, wake });
  await keeper.start();
  try {
    const { checkPeer, password } = guard;
    const shared = {
      connection,
      type,
      keeper,
      onEvent,
      ...(tls === undefined ? {} : { tls }),
      ...(checkPeer === undefined ? {} : { checkPeer }),
      ...(password === undefined ? {} : { password: password.verifier }),
    };
    switch (listen.kind) {
      case 'socket': {
        const path = isAbsolute(listen.path) ? listen.path : resolve(listen.path);
        return await openForward({ ...shared, listen: (server) => listenOnSocket(server, path) });
      }
      case 'port':
        return await openForward({
          ...shared,
          listen: (server) => listenOnPort(server, listen.host, listen.port),
        });
      case 'remembered':
        return await openForward({
          ...shared,
          listen: (server) => listenOnRememberedPort(server, listen.host, connection, listen.ports),
        });
    }
  } catch (error) {
    keeper.close();
    throw error;
  }
}

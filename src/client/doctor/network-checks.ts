import { lookup } from 'node:dns/promises';
import { isIP, type Socket } from 'node:net';
import type { PeerCertificate, TLSSocket } from 'node:tls';
import { HoopError } from '../../core/errors.js';
import { openWire } from '../../network/open-wire.js';
import { type Proxy, proxyFor } from '../../network/proxy-choice.js';
import { tlsAdvice } from '../../network/tls-advice.js';
import { type Check, failed, ok, skipped, warning } from './check.js';

/** Longest wait for one connection, in ms. */
const TIMEOUT_MS = 5_000;
/** A certificate that ends within so many days is worth a word. */
const ENDING_DAYS = 14;
const DAY_MS = 86_400_000;

const hostOf = (agent: URL): string => agent.hostname.replace(/^\[|\]$/g, '');
const portOf = (agent: URL): number =>
  Number(agent.port === '' ? (agent.protocol === 'https:' ? 443 : 80) : agent.port);

/** The way to the agent as every command goes it. */
export interface Way {
  readonly agent: URL;
  /** Where proxies are named. */
  readonly env: Readonly<Record<string, string | undefined>>;
}

/** Has the agent's name an address? Where a proxy is set, the proxy's: it looks up the agent's. */
export async function checkDns({ agent, env }: Way): Promise<Check> {
  try {
    const proxy = proxyFor(agent, env);
    const host = proxy?.host ?? hostOf(agent);
    const found = isIP(host) === 0 ? await addressesOf(host) : `${host} is an address`;
    if (proxy !== undefined) return ok('dns', `proxy ${found}; it looks up ${hostOf(agent)}`);
    return isIP(host) === 0 ? ok('dns', found) : skipped('dns', `${found}: no name to look up`);
  } catch (error) {
    if (error instanceof HoopError) return failed('dns', error);
    throw error;
  }
}

async function addressesOf(host: string): Promise<string> {
  try {
    return `${host} is ${(await lookup(host, { all: true })).map(({ address }) => address).join(', ')}`;
  } catch (error) {
    throw new HoopError('unreachable', `the name ${host} has no address`, {
      why: codeOf(error),
      suggestion: 'check the name with --agent URL; inside of a company network the VPN or a proxy may be needed',
    });
  }
}

/** Does something listen there? */
export async function checkTcp({ agent, env }: Way): Promise<Check> {
  const [host, port] = [hostOf(agent), portOf(agent)];
  const started = performance.now();
  let socket: Socket | undefined;
  try {
    const proxy = proxyFor(agent, env);
    socket = await openWire(agent, { env, timeoutMs: TIMEOUT_MS, beforeTls: true });
    const took = Math.round(performance.now() - started);
    const there = proxy === undefined ? (socket.remoteAddress ?? host) : `${host} through the proxy ${named(proxy)}`;
    return ok('tcp', `connected to ${there}, port ${String(port)}, in ${String(took)} ms`);
  } catch (error) {
    if (error instanceof HoopError) return failed('tcp', error);
    const refused = codeOf(error) === 'ECONNREFUSED';
    return failed(
      'tcp',
      new HoopError('unreachable', `no connection to ${host}, port ${String(port)}`, {
        why: codeOf(error),
        suggestion: refused
          ? 'nothing listens there: check that the agent runs, and the port in its address'
          : 'nothing answers: check the VPN and the firewalls between here and the agent',
      }),
    );
  } finally {
    socket?.destroy();
  }
}

/** Without user and password. */
function named({ host, port }: Proxy): string {
  return `${isIP(host) === 6 ? `[${host}]` : host}:${String(port)}`;
}

/** Is the certificate one that this machine trusts, for this name, and for long enough? */
export async function checkTls(
  way: Way,
  options: { readonly caFile: string | undefined; readonly nowMs: number },
): Promise<Check> {
  if (way.agent.protocol !== 'https:') return skipped('tls', 'plain http, which is for an agent on this machine alone');
  try {
    return tlsFindings(await handshake(way, options.caFile), options.nowMs);
  } catch (error) {
    if (error instanceof HoopError) return failed('tls', error);
    const code = codeOf(error);
    return failed(
      'tls',
      new HoopError('unreachable', 'the TLS handshake failed', {
        why: code,
        suggestion: tlsAdvice(code) ?? OTHER_TLS_FAILURE,
      }),
    );
  }
}

const OTHER_TLS_FAILURE = 'check what stands between here and the agent: something ended the handshake';

interface Handshake {
  readonly protocol: string | null;
  readonly certificate: PeerCertificate;
}

async function handshake({ agent, env }: Way, caFile: string | undefined): Promise<Handshake> {
  const socket = (await openWire(agent, { env, caFile, timeoutMs: TIMEOUT_MS })) as TLSSocket;
  const found = { protocol: socket.getProtocol(), certificate: socket.getPeerCertificate() };
  socket.destroy();
  return found;
}

function tlsFindings({ protocol, certificate }: Handshake, nowMs: number): Check {
  const days = Math.floor((Date.parse(certificate.valid_to) - nowMs) / DAY_MS);
  const found = `${protocol ?? 'TLS'}, certificate of ${nameOf(certificate.subject)} by ${nameOf(certificate.issuer)}, good for ${String(days)} days`;
  if (days >= ENDING_DAYS) return ok('tls', found);
  return warning('tls', found, 'tell whoever runs the agent that its certificate is about to end');
}

function nameOf(name: PeerCertificate['subject'] | undefined): string {
  const first = (value: string | string[] | undefined): string | undefined => (Array.isArray(value) ? value[0] : value);
  return first(name?.CN) ?? first(name?.O) ?? 'no name';
}

function codeOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  // Several addresses were tried: they mostly fail alike.
  if (error instanceof AggregateError && error.errors.length > 0) return codeOf(error.errors[0]);
  return (error as NodeJS.ErrnoException).code ?? error.message;
}

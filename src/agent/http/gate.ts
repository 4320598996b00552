import type { IncomingMessage } from 'node:http';
import { isIP } from 'node:net';
import { HoopError } from '../../core/errors.js';

const MAX_HEADERS = 100;

/** Longest request target, in characters. */
const MAX_TARGET_LENGTH = 8 * 1024;

const LOOPBACK_NAMES: readonly string[] = ['localhost', '127.0.0.1', '[::1]'];
const WILDCARD_HOSTS: readonly string[] = ['0.0.0.0', '::'];

/** Encoded slash, backslash, NUL, dot: what another reader of the path might decode before routing. */
const AMBIGUOUS_PATH = /\/\/|\/\.{1,2}(?:\/|$)|\\|%(?:2f|5c|00|2e)|[^\x21-\x7e]|;/i;
const BROKEN_ESCAPE = /%(?![0-9a-f]{2})/i;

/** A request that passed the gate, its target taken apart. */
export interface Target {
  /** As sent; holds nothing that another reader could take for another path. */
  readonly path: string;
  readonly search: URLSearchParams;
}

/** The status is the wire's; the error is told to the caller. */
export class Refusal extends Error {
  constructor(
    readonly status: number,
    readonly error: HoopError,
    readonly headers: Readonly<Record<string, string>> = {},
  ) {
    super(error.message);
    this.name = 'Refusal';
  }
}

export interface GateOptions {
  /** The host that the agent listens on, as configured. */
  readonly listenHost: string;
  /** The address that clients use, where it is another. */
  readonly publicUrl?: string | undefined;
}

export interface Gate {
  /** Host, origin and size of the head: what holds whatever is asked for. */
  guard(request: IncomingMessage, kind: 'request' | 'upgrade'): void;
  /** All of it, for the agent's own paths. */
  pass(request: IncomingMessage, kind: 'request' | 'upgrade'): Target;
}

/**
 * What every request and upgrade must pass before anything else looks at it: host (DNS rebinding),
 * origin (other people's web pages), a path that means one thing only, no token in the address.
 *
 * The gate throws `Refusal`.
 */
export function createGate(options: GateOptions): Gate {
  const publicUrl = options.publicUrl === undefined ? undefined : new URL(options.publicUrl);
  const guard: Gate['guard'] = (request, kind) => {
    // Counted in the raw list: past its own limit Node leaves headers out and says nothing.
    if (request.rawHeaders.length > 2 * MAX_HEADERS)
      throw new Refusal(431, new HoopError('limit', `more than ${MAX_HEADERS} headers`));
    const host = checkHost(request, options.listenHost, publicUrl);
    if (kind === 'upgrade' || !['GET', 'HEAD', 'OPTIONS'].includes(request.method ?? ''))
      checkOrigin(request, host, publicUrl);
  };
  return {
    guard,
    pass: (request, kind) => {
      guard(request, kind);
      return readTarget(request.url ?? '');
    },
  };
}

/** @returns the Host header's value */
function checkHost(request: IncomingMessage, listenHost: string, publicUrl: URL | undefined): string {
  const hosts = valuesOf(request, 'host');
  const [host] = hosts;
  if (host === undefined || hosts.length !== 1)
    throw new Refusal(400, new HoopError('usage', 'a request needs exactly one Host header'));
  const name = hostNameOf(host);
  const loopback = isLoopback(request.socket.localAddress ?? '');
  const allowed =
    name !== undefined &&
    (name === bracketed(listenHost.toLowerCase()) ||
      name === publicUrl?.hostname ||
      (loopback && LOOPBACK_NAMES.includes(name)) ||
      // No name server stands behind an address, so nothing can be rebound.
      (WILDCARD_HOSTS.includes(listenHost) && isIP(name.replace(/^\[|\]$/g, '')) !== 0));
  if (!allowed) {
    const suggestion = 'use the agent’s own address, or set publicUrl in its configuration';
    throw new Refusal(421, new HoopError('not_allowed', 'the agent does not serve the host asked for', { suggestion }));
  }
  return host;
}

/** A browser sends an origin with every request that changes something; other clients send none. */
function checkOrigin(request: IncomingMessage, host: string, publicUrl: URL | undefined): void {
  const origins = valuesOf(request, 'origin');
  if (origins.length === 0) return;
  const [origin] = origins;
  const own = 'encrypted' in request.socket ? `https://${host}` : `http://${host}`;
  if (origins.length === 1 && (origin === publicUrl?.origin || origin === own)) return;
  throw new Refusal(403, new HoopError('not_allowed', 'requests of other web sites are refused'));
}

function readTarget(target: string): Target {
  if (target.length > MAX_TARGET_LENGTH) {
    throw new Refusal(414, new HoopError('limit', `the address is longer than ${MAX_TARGET_LENGTH} characters`));
  }
  const cut = target.indexOf('?');
  const path = cut === -1 ? target : target.slice(0, cut);
  // Absolute form and `*` are for proxies: here they could only mean another host.
  if (!path.startsWith('/') || AMBIGUOUS_PATH.test(path) || BROKEN_ESCAPE.test(path)) {
    throw new Refusal(400, new HoopError('usage', 'the path must be plain: no empty, dotted or encoded parts'));
  }
  const search = new URLSearchParams(cut === -1 ? '' : target.slice(cut));
  for (const name of search.keys()) {
    if (name.toLowerCase() !== 'access_token') continue;
    const suggestion = 'send the token as `Authorization: Bearer TOKEN`';
    throw new Refusal(400, new HoopError('usage', 'tokens in addresses are refused', { suggestion }));
  }
  return { path, search };
}

/** Name or address of a Host header, lower-case, IPv6 in brackets; undefined where it is malformed. */
function hostNameOf(host: string): string | undefined {
  return /^([a-z0-9.-]+|\[[0-9a-f:.]+\])(?::\d{1,5})?$/i.exec(host)?.[1]?.toLowerCase();
}

function bracketed(host: string): string {
  return isIP(host) === 6 ? `[${host}]` : host;
}

function isLoopback(address: string): boolean {
  return address === '::1' || /^(?:::ffff:)?127\./.test(address);
}

function valuesOf(request: IncomingMessage, name: string): string[] {
  const raw = request.rawHeaders;
  return raw.filter((_, index) => index % 2 === 1 && raw[index - 1]?.toLowerCase() === name);
}

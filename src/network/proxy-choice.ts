import { BlockList, isIP } from 'node:net';
import { HoopError } from '../core/errors.js';

type Environment = Readonly<Record<string, string | undefined>>;

/** A proxy that takes CONNECT. */
export interface Proxy {
  readonly host: string;
  readonly port: number;
  /** Is the way to the proxy itself under TLS? */
  readonly secure: boolean;
  /** Value of `Proxy-Authorization`, where the address names a user. */
  readonly authorization: string | undefined;
}

/**
 * The proxy for this address, by `HTTPS_PROXY`, `HTTP_PROXY` (plain addresses), `ALL_PROXY` and `NO_PROXY`, lower-case
 * spellings first, as curl has it. An address on this machine's loopback is reached through a proxy that is there as
 * well, never through one elsewhere: that one's loopback is another.
 *
 * @throws HoopError usage for a proxy of another kind, or one that can't be read; without its value, which may hold a password
 * @see https://everything.curl.dev/usingcurl/proxies/env.html
 */
export function proxyFor(target: URL, env: Environment): Proxy | undefined {
  const secure = target.protocol === 'https:' || target.protocol === 'wss:';
  const name = secure ? 'HTTPS_PROXY' : 'HTTP_PROXY';
  const value = given(env, name) ?? given(env, 'ALL_PROXY');
  const host = bare(target.hostname);
  const port = target.port === '' ? (secure ? 443 : 80) : Number(target.port);
  if (value === undefined || isExcepted(host, port, given(env, 'NO_PROXY') ?? '')) return undefined;
  const proxy = parseProxy(value, name);
  return isLoopback(host) && !isLoopback(proxy.host) ? undefined : proxy;
}

function given(env: Environment, name: string): string | undefined {
  const value = env[name.toLowerCase()] ?? env[name] ?? '';
  return value.trim() === '' ? undefined : value.trim();
}

function parseProxy(value: string, name: string): Proxy {
  const text = /^[a-z][a-z0-9+.-]*:\/\//i.test(value) ? value : `http://${value}`;
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || url.hostname === '' || !['http:', 'https:'].includes(url.protocol)) {
    throw new HoopError('usage', `the proxy of ${name} can not be used`, {
      why: 'only proxies at http:// and https:// addresses are known',
      suggestion: `set ${name} to http://[USER:PASSWORD@]HOST:PORT, or name the agent in NO_PROXY`,
    });
  }
  const secure = url.protocol === 'https:';
  const login = `${decode(url.username)}:${decode(url.password)}`;
  return {
    host: bare(url.hostname),
    port: url.port === '' ? (secure ? 443 : 80) : Number(url.port),
    secure,
    authorization: login === ':' ? undefined : `Basic ${Buffer.from(login).toString('base64')}`,
  };
}

/** Entries of `NO_PROXY`: `*`, a host, a domain with all below it, an address, a network; each with a port or without. */
function isExcepted(host: string, port: number, list: string): boolean {
  return list
    .toLowerCase()
    .split(/[\s,]+/)
    .filter((entry) => entry !== '')
    .some((entry) => {
      if (entry === '*') return true;
      const [, name = '', onPort] = /^(.*?)(?::(\d{1,5}))?$/.exec(isIP(entry) === 6 ? `[${entry}]` : entry) ?? [];
      if (onPort !== undefined && Number(onPort) !== port) return false;
      if (name.includes('/')) return isInNetwork(host, name);
      const wanted = bare(name).replace(/^\*?\./, '');
      return host === wanted || (isIP(host) === 0 && host.endsWith(`.${wanted}`));
    });
}

function isInNetwork(host: string, network: string): boolean {
  const [address = '', bits = ''] = network.split('/');
  const family = isIP(address);
  const longest = family === 4 ? 32 : 128;
  if (family === 0 || family !== isIP(host) || !/^\d{1,3}$/.test(bits) || Number(bits) > longest) return false;
  const list = new BlockList();
  const kind = family === 4 ? 'ipv4' : 'ipv6';
  list.addSubnet(address, Number(bits), kind);
  return list.check(host, kind);
}

function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || (isIP(host) === 4 && host.startsWith('127.'));
}

function bare(host: string): string {
  return host.toLowerCase().replace(/^\[(.*)\]$/, '$1');
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

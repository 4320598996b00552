import type { IncomingMessage } from 'node:http';
import { BlockList, isIP, isIPv6 } from 'node:net';

/** The address that a request came from; empty where its socket is gone. */
export type AddressOf = (request: Pick<IncomingMessage, 'rawHeaders' | 'socket'>) => string;

/** Hops that are looked at from the right; more than any chain of proxies has. */
const MAX_HOPS = 32;

/**
 * Where requests come from behind proxies that are trusted: the right-most address of `X-Forwarded-For` that is none of
 * them. Whatever stands left of it was written by somebody who is not trusted, and from any other peer the whole header.
 * An entry that is no address ends the chain at the proxy that passed it on.
 *
 * @param trustedProxies addresses or networks, as `10.0.0.0/8`; none: always the socket's own peer
 */
export function createAddressOf(trustedProxies: readonly string[]): AddressOf {
  const trusted = new BlockList();
  for (const network of trustedProxies) {
    const [address = '', bits] = network.split('/');
    const family = isIPv6(address) ? 'ipv6' : 'ipv4';
    trusted.addSubnet(address, bits === undefined ? (family === 'ipv6' ? 128 : 32) : Number(bits), family);
  }
  const isTrusted = (address: string): boolean => trusted.check(address, isIPv6(address) ? 'ipv6' : 'ipv4');
  return ({ rawHeaders, socket }) => {
    let address = plainAddress(socket.remoteAddress ?? '') ?? '';
    if (trustedProxies.length === 0 || address === '' || !isTrusted(address)) return address;
    const hops = forwardedFor(rawHeaders);
    for (let index = hops.length - 1; index >= Math.max(0, hops.length - MAX_HOPS); index -= 1) {
      const before = plainAddress(hops[index] as string);
      if (before === undefined) return address;
      address = before;
      if (!isTrusted(address)) return address;
    }
    return address;
  };
}

/** All of them in the order of the lines: a proxy may add a line of its own rather than to the last. */
function forwardedFor(rawHeaders: readonly string[]): readonly string[] {
  const lines: string[] = [];
  for (let index = 0; index + 1 < rawHeaders.length; index += 2)
    if ((rawHeaders[index] as string).toLowerCase() === 'x-forwarded-for') lines.push(rawHeaders[index + 1] as string);
  return lines.length === 0 ? [] : lines.join(',').split(',');
}

/** Without the port that some proxies add, without brackets and zone, IPv4 as such; undefined where it is no address. */
function plainAddress(text: string): string | undefined {
  const given = text.trim();
  const bare = /^\[([^\]]*)\](?::\d{1,5})?$/.exec(given)?.[1] ?? /^([\d.]+):\d{1,5}$/.exec(given)?.[1] ?? given;
  const address = bare.replace(/%.*$/, '').replace(/^::ffff:(?=\d+\.\d+\.\d+\.\d+$)/i, '');
  return isIP(address) === 0 ? undefined : address;
}

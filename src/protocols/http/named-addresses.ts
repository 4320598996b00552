import { isFault, type Fault } from '../../core/errors.js';
import type { Header } from './dialect.js';
import { addressOf, belowPath, type LocalPlace } from './local-address.js';
import { readTarget } from './target.js';

/** An address in angle brackets, in a header that may hold locks and marks in them too. */
const TAGGED = /<((?:https?:\/|\/)[^>]*)>/gi;

/**
 * Headers of a request that name another resource of the same server, as a WebDAV client finds it here, named as the
 * upstream knows it: servers refuse to copy or move to an address that is not theirs. `Destination`, and the addresses
 * of `If`. One that leads elsewhere stays as it is.
 *
 * @param host the Host header of the request; an address with a host is somewhere else without
 * @returns a fault `protocol` for an address on this side whose path could mean two things
 * @see https://www.rfc-editor.org/rfc/rfc4918#section-10.3
 */
export function upstreamAddresses(
  headers: readonly Header[],
  host: string | undefined,
  place: LocalPlace,
): { readonly headers: readonly Header[] } | Fault {
  let wrong: Fault | undefined;
  const named = (address: string): string => {
    const there = upstreamAddress(address, host, place);
    if (typeof there === 'string') return there;
    wrong ??= there;
    return address;
  };
  const told = headers.map(([name, value]): Header => {
    if (name === 'destination') return [name, named(value)];
    if (name === 'if') return [name, value.replace(TAGGED, (_, address: string) => `<${named(address)}>`)];
    return [name, value];
  });
  return wrong ?? { headers: told };
}

function upstreamAddress(address: string, host: string | undefined, { upstream, base }: LocalPlace): string | Fault {
  const own = addressOf(upstream);
  const local = /^https?:\/\/([^/?#\\@]+)(.*)$/i.exec(address);
  const [, authority = '', path = ''] = local ?? [];
  const rest = local === null ? address : authority.toLowerCase() === host?.toLowerCase() ? path : undefined;
  const below = rest?.startsWith('/') === true ? belowPath(rest, base) : undefined;
  if (own === undefined || below === undefined) return address;
  const target = readTarget(below === '' ? '/' : below, { slashes: true });
  if (isFault(target)) return target;
  const query = target.query === '' ? '' : `?${target.query}`;
  return `${local === null ? '' : own.origin}${own.rest.replace(/\/$/, '')}${target.path}${query}`;
}

import type { Header } from '../dialect.js';
import { connectionOptions, headersOf, isHopByHop } from '../headers.js';
import { addressOf, belowPath, type LocalPlace } from '../local-address.js';

/** Says what the bytes of a body are; wrong as soon as one of them is changed. */
const OF_THE_BYTES: readonly string[] = [
  'content-length',
  'content-encoding',
  'content-md5',
  'content-digest',
  'repr-digest',
  'digest',
  'accept-ranges',
];

/** `alt-svc` leads clients past hoop; `proxy-authenticate` speaks of a proxy that is not there. */
const DROPPED: readonly string[] = ['alt-svc', 'proxy-authenticate', 'proxy-authentication-info'];

export interface AnswerHeaderOptions extends LocalPlace {
  /** The body is decoded or changed on its way, so that its length, coding and digests no longer hold. */
  readonly altered: boolean;
  /** It is asked for as a whole, whatever part a client wants: ranges must not be offered. Absent: as the upstream says. */
  readonly whole?: boolean;
}

/**
 * The headers of an answer that go to the client, names in lower case, in order.
 *
 * Dropped: what is for one hop alone, `Alt-Svc`, `X-Hoop-*` that are not the agent's, and of an altered body its
 * length, coding and digests. `Location` and `Content-Location` below the connection's `url` become addresses below
 * `base`; the path of a cookie too, whose domain is dropped.
 *
 * @param raw names and values by turns
 */
export function answerHeaders(raw: readonly string[], options: AnswerHeaderOptions): Header[] {
  const sent = headersOf(raw);
  const named = connectionOptions(sent);
  const headers: Header[] = [];
  for (const [name, value] of sent) {
    if (isHopByHop(name, named) || DROPPED.includes(name) || name.startsWith('x-hoop-')) continue;
    if (options.altered && OF_THE_BYTES.includes(name)) continue;
    if (options.whole === true && name === 'accept-ranges') continue;
    if (name === 'location' || name === 'content-location') headers.push([name, localLocation(value, options)]);
    else if (name === 'set-cookie') headers.push([name, localCookie(value, options)]);
    else headers.push([name, value]);
  }
  return headers;
}

function localLocation(location: string, { upstream, base }: AnswerHeaderOptions): string {
  const own = addressOf(upstream);
  if (own === undefined) return location;
  let rest: string | undefined = location;
  if (!location.startsWith('/') || location.startsWith('//')) {
    const scheme = own.origin.slice(0, own.origin.indexOf('/'));
    const asked = addressOf(location.startsWith('//') ? scheme + location : location);
    rest = asked?.origin === own.origin ? asked.rest : undefined;
  }
  const below = rest === undefined ? undefined : belowPath(rest, own.rest);
  if (below === undefined) return location;
  return `${base}${below.startsWith('/') ? '' : '/'}${below}`;
}

/**
 * Clients drop a cookie for a domain that they did not ask, and would not send one for the upstream's paths. Below
 * `/c/NAME` one upstream's must not be sent to the others either.
 */
function localCookie(cookie: string, { upstream, base }: AnswerHeaderOptions): string {
  const own = (addressOf(upstream)?.rest ?? '').replace(/\/$/, '');
  return cookie
    .split(';')
    .filter((part, index) => index === 0 || !/^\s*domain\s*=/i.test(part))
    .map((part, index) => {
      const path = index === 0 ? undefined : /^\s*path\s*=\s*(\/.*?)\s*$/i.exec(part)?.[1];
      if (path === undefined) return part;
      const below = belowPath(path, own) ?? path;
      const local = base + (below === '/' ? '' : below) || '/';
      return local === path ? part : ` Path=${local}`;
    })
    .join(';');
}

import type { Fault } from '../../core/errors.js';
import type { Header } from './dialect.js';

/** Meant for the next hop alone (RFC 9110 section 7.6.1), or for the framing of a message, which each hop does anew. */
const HOP_BY_HOP: readonly string[] = [
  'connection',
  'keep-alive',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
  'http2-settings',
];

/** Written anew for the upstream. */
const OWN: readonly string[] = ['host', 'content-length', 'expect'];

/** What callers show to hoop: it is never the upstream's business. */
const CALLER_CREDENTIALS: readonly string[] = ['authorization', 'x-api-key', 'api-key'];

/** What proxies say to the servers behind them about who asks, from where, for what: a caller could claim anything. */
const CLAIMS =
  /^(?:forwarded|x-forwarded(?:-.*)?|x-real-ip|x-remote-.*|x-auth-request-.*|x-original-.*|x-rewrite-url|x-hoop-.*|true-client-ip|x-client-ip|x-cluster-client-ip|cf-connecting-ip(?:v6)?|fastly-client-ip|via)$/;

/** What proxies and sidecars that ask people to log in say of them, by product; hoop is none of these. */
const IDENTITY_CLAIMS =
  /^(?:remote-user|x-authenticated-.*|x-webauth-.*|x-ssl-client-.*|ssl-client-.*|x-client-cert.*|x-envoy-original-.*|x-ms-client-principal.*|x-goog-authenticated-user-.*|x-goog-iap-.*|x-amzn-oidc-.*|cf-access-.*|tailscale-user-.*|x-pomerium-.*|x-authentik-.*|x-vouch-.*)$/;

/** Another method than the one that is judged. */
const OVERRIDES: readonly string[] = ['x-http-method-override', 'x-method-override', 'x-http-method'];

/** Two of these mean different things to different readers. */
const SINGLE: readonly string[] = ['host', 'content-length', 'transfer-encoding', 'content-type', 'content-encoding'];

const NAME = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
const VALUE = /^[\t\x20-\x7e\x80-\xff]*$/;

/** Some servers take `_` and `-` for the same: what is dropped is dropped in both spellings. */
function dashed(name: string): string {
  return name.replaceAll('_', '-');
}

/**
 * The headers of a request that may go upstream, names in lower case, in order.
 *
 * Dropped: what is for this hop alone and whatever `Connection` names, what is written anew (Host, Content-Length,
 * Expect), the caller's credentials, what would stand in the place of an injected header, what proxies tell servers
 * about their callers (`Forwarded`, `X-Forwarded-*`, …) and other methods than the one judged; each also with `_` for
 * `-`. Cookies stay: they are the application's.
 *
 * @param raw names and values by turns, as Node gives them
 * @param injected names of the stored credential's headers
 * @returns a fault `protocol` for a header that is sent twice and would mean two things, for a name or value that is
 *   none, for both Content-Length and Transfer-Encoding, and where `Connection` names what describes the body
 * @see https://www.rfc-editor.org/rfc/rfc9110#section-7.6.1
 */
export function forwardedHeaders(
  raw: readonly string[],
  injected: readonly string[],
): { readonly headers: readonly Header[] } | Fault {
  const sent = headersOf(raw);
  const wrong = faultOf(sent);
  if (wrong !== undefined) return { code: 'protocol', message: wrong };
  const dropped = new Set([
    ...HOP_BY_HOP,
    ...OWN,
    ...CALLER_CREDENTIALS,
    ...OVERRIDES,
    ...connectionOptions(sent),
    ...injected.map((name) => dashed(name.toLowerCase())),
  ]);
  if (dropped.has('content-type') || dropped.has('content-encoding'))
    return { code: 'protocol', message: 'the connection header names a header that describes the body' };
  const headers: Header[] = [];
  for (const [name, value] of sent) {
    const spelled = dashed(name);
    // `content_type` is a second Content-Type to servers that make variables of headers.
    const disguised = spelled !== name && SINGLE.includes(spelled);
    if (disguised || dropped.has(spelled) || spelled.startsWith('proxy-') || CLAIMS.test(spelled)) continue;
    if (IDENTITY_CLAIMS.test(spelled)) continue;
    headers.push([name, value]);
  }
  return { headers };
}

/** Pairs of names in lower case and values. */
export function headersOf(raw: readonly string[]): Header[] {
  const headers: Header[] = [];
  for (let index = 0; index + 1 < raw.length; index += 2)
    headers.push([(raw[index] as string).toLowerCase(), raw[index + 1] as string]);
  return headers;
}

/** Is it for one hop alone, by its own name or by the Connection header's word? */
export function isHopByHop(name: string, named: ReadonlySet<string>): boolean {
  const spelled = dashed(name);
  return HOP_BY_HOP.includes(spelled) || spelled === 'proxy-connection' || named.has(spelled);
}

/** What the Connection headers name, in lower case. */
export function connectionOptions(headers: readonly Header[]): ReadonlySet<string> {
  const named = new Set<string>();
  for (const [name, value] of headers) {
    if (dashed(name) !== 'connection') continue;
    for (const option of value.split(',')) named.add(dashed(option.trim().toLowerCase()));
  }
  return named;
}

function faultOf(headers: readonly Header[]): string | undefined {
  const seen = new Set<string>();
  for (const [name, value] of headers) {
    if (!NAME.test(name) || !VALUE.test(value)) return 'a header is malformed';
    if (SINGLE.includes(name) && seen.has(name)) return `the ${name} header was sent twice`;
    // RFC 9112 section 6.1: what was done to the body besides would be undone by nobody.
    if (name === 'transfer-encoding' && value.trim().toLowerCase() !== 'chunked')
      return 'a transfer coding is not chunked';
    seen.add(name);
  }
  if (seen.has('content-length') && seen.has('transfer-encoding'))
    return 'content-length and transfer-encoding were both sent';
  return undefined;
}

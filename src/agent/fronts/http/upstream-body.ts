import type { Readable } from 'node:stream';
import type { MaskCounts } from '../../../core/mask.js';
import type { Originals } from '../../../masking/stream-masker.js';
import type { Header, HttpRequest, ReadBody } from '../../../protocols/http/dialect.js';
import { CODINGS } from './body-coding.js';
import type { ConnectionRules } from './connection-rules.js';
import type { Intake } from './intake.js';

/** What goes upstream of a request that was allowed, besides the credential. */
export interface UpstreamBody {
  readonly headers: readonly Header[];
  readonly body: Uint8Array | Readable | undefined;
  /** Values masked in the request. */
  readonly counts: MaskCounts;
  readonly originals: Originals | undefined;
}

/** The request as it was judged: masked where policy says so, its length and coding told anew where they changed. */
export function upstreamBody(
  request: HttpRequest,
  intake: Intake,
  body: ReadBody | undefined,
  rules: ConnectionRules,
): UpstreamBody {
  const counts: MaskCounts = new Map();
  const changed =
    body === undefined ? undefined : (rules.requests?.maskJson(body.bytes, 0, body.bytes.length, counts) ?? undefined);
  const bytes = changed ?? intake.stream();
  const dropped = new Set(['accept-encoding']);
  if (intake.decoded) dropped.add('content-encoding');
  // Part of a body can't be masked: what a match began with may stand before it.
  if (rules.answers !== undefined) for (const name of ['range', 'if-range']) dropped.add(name);
  const headers = request.headers.filter(([name]) => !dropped.has(name));
  const coding = acceptedCodings(request, rules);
  if (coding !== undefined) headers.push(['accept-encoding', coding]);
  return {
    headers,
    body: bytes,
    counts,
    originals: undefined,
  };
}

/** Only what can be undone may be asked for; nothing where it would be undone anyway. */
function acceptedCodings(request: HttpRequest, rules: ConnectionRules): string | undefined {
  const given = request.headers.filter(([name]) => name === 'accept-encoding').map(([, value]) => value);
  if (given.length === 0) return undefined;
  if (rules.answers !== undefined) return 'identity';
  const kept = given
    .join(',')
    .split(',')
    .map((part) => part.trim())
    .filter((part) => [...CODINGS, 'identity'].includes(part.split(';')[0]?.trim().toLowerCase() ?? ''));
  return kept.length === 0 ? 'identity' : kept.join(', ');
}

import type { Readable } from 'node:stream';
import { HoopError, isFault } from '../../../core/errors.js';
import type { KeyedHash, MaskCounts } from '../../../core/mask.js';
import type { Originals } from '../../../masking/streams/stream-masker.js';
import { readBody } from '../../../protocols/http/bodies/read-body.js';
import type { Header, HttpRequest, ReadBody, RequestReading } from '../../../protocols/http/dialect.js';
import { maskBodyPaths } from '../../../protocols/http/bodies/json-bodies.js';
import { maskQuery, maskRequest } from '../../../protocols/http/request-masking.js';
import { CODINGS } from './body-coding.js';
import { masksAnswers, type ConnectionRules } from './connection-rules.js';
import type { Intake } from './intake.js';
import { targetOf } from './request-question.js';

/** What goes upstream of a request that was allowed, besides the credential. */
export interface UpstreamBody {
  /** Path and query. */
  readonly target: string;
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
  reading: RequestReading,
  rules: ConnectionRules,
  hash: KeyedHash,
): UpstreamBody {
  const masked = maskedBody(request, body, reading, rules, hash);
  const bytes = masked?.bytes ?? intake.stream();
  const dropped = new Set(['accept-encoding']);
  if (intake.decoded) dropped.add('content-encoding');
  // Part of a body can't be masked: what a match began with may stand before it.
  if (masksAnswers(rules)) for (const name of ['range', 'if-range']) dropped.add(name);
  const headers = request.headers.filter(([name]) => !dropped.has(name));
  const coding = acceptedCodings(request, rules);
  if (coding !== undefined) headers.push(['accept-encoding', coding]);
  if (masked === undefined && intake.toldBytes !== undefined)
    headers.push(['content-length', String(intake.toldBytes)]);
  const counts = masked?.counts ?? new Map<string, number>();
  const { path } = request;
  const query = rules.requests === undefined ? request.query : maskQuery(request.query, rules.requests, counts);
  return {
    target: targetOf({ path, query }),
    headers,
    body: bytes,
    counts,
    originals: masked === undefined || masked.originals.size === 0 ? undefined : masked.originals,
  };
}

/** Only what can be undone may be asked for; nothing where it would be undone anyway. */
function acceptedCodings(request: HttpRequest, rules: ConnectionRules): string | undefined {
  const given = request.headers.filter(([name]) => name === 'accept-encoding').map(([, value]) => value);
  if (given.length === 0) return undefined;
  if (masksAnswers(rules)) return 'identity';
  const kept = given
    .join(',')
    .split(',')
    .map((part) => part.trim())
    .filter((part) => [...CODINGS, 'identity'].includes(part.split(';')[0]?.trim().toLowerCase() ?? ''));
  return kept.length === 0 ? 'identity' : kept.join(', ');
}

/** A request's body as it goes up: places first, then what is found in the values. @throws HoopError `protocol` where places can't be masked */
export function maskedBody(
  { contentType }: Pick<HttpRequest, 'contentType'>,
  given: ReadBody | undefined,
  { places }: Pick<RequestReading, 'places'>,
  rules: ConnectionRules,
  hash: KeyedHash,
): { readonly bytes: Uint8Array; readonly counts: MaskCounts; readonly originals: Originals } | undefined {
  if (given === undefined || given.bytes.length === 0) return undefined;
  const counts: MaskCounts = new Map();
  const originals = new Map<string, string>();
  let body = given;
  if (rules.paths.requests.length > 0) {
    const masked = maskBodyPaths(body.text, contentType, { rules: rules.paths.requests, hash, counts, originals });
    if (isFault(masked)) throw HoopError.fromFault(masked);
    if (masked !== undefined) body = readBody(new TextEncoder().encode(masked), contentType);
  }
  if (rules.requests !== undefined) {
    const masked = maskRequest(body, rules.requests, { places, contentType });
    for (const [name, count] of masked.counts) counts.set(name, (counts.get(name) ?? 0) + count);
    for (const [placeholder, value] of masked.originals) originals.set(placeholder, value);
    return { bytes: masked.bytes, counts, originals };
  }
  return body === given ? undefined : { bytes: body.bytes, counts, originals };
}

import { createHash } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { HoopError } from '../../../../core/errors.js';
import { answerHeaders } from '../../../../protocols/http/answers/answer-headers.js';
import type { Header } from '../../../../protocols/http/dialect.js';
import { headersOf } from '../../../../protocols/http/headers.js';
import type { Redactor } from '../../../../protocols/http/credentials/credential-redaction.js';
import type { MaskCounts } from '../../../../core/mask.js';
import type { StreamMasker } from '../../../../masking/streams/stream-masker.js';
import { shownHeaders } from '../answers/answer-head.js';
import { UpstreamFault } from '../refusals.js';

/** Base64 of 16 bytes, RFC 6455 section 4.1. */
const KEY = /^[A-Za-z0-9+/]{22}==$/;
/** RFC 6455 section 1.3. */
const ACCEPT_SUFFIX = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11';

/**
 * Is this a handshake that can be carried on? RFC 6455 section 4.2.1.
 *
 * @throws HoopError `not_in_version` for another protocol or version, `usage` for a handshake that is none
 */
export function checkHandshake(incoming: Pick<IncomingMessage, 'method' | 'headers' | 'rawHeaders'>): void {
  const { method, headers } = incoming;
  const websocket = method === 'GET' && headers.upgrade?.trim().toLowerCase() === 'websocket';
  if (!websocket || headers['sec-websocket-version'] !== '13')
    throw new HoopError('not_in_version', 'only upgrades to websocket, version 13, by GET are carried on');
  const sent = headersOf(incoming.rawHeaders);
  const keys = sent.filter(([name]) => name === 'sec-websocket-key');
  if (keys.length !== 1 || !KEY.test(keys[0]?.[1] ?? ''))
    throw new HoopError('usage', 'the upgrade has no valid sec-websocket-key');
  if (headers['transfer-encoding'] !== undefined || (headers['content-length'] ?? '0') !== '0')
    throw new HoopError('usage', 'an upgrade has no body');
}

/** Where no header can be set, as in browsers, keys and tokens stand among the subprotocols: another's than the stored. */
const CREDENTIAL_PROTOCOL = /^(?:openai-insecure-api-key\.|base64url\.bearer\.authorization\.k8s\.io\.)/i;

/**
 * The headers that are judged and go up: those that may be forwarded, and the handshake's own. No extension is asked
 * for, so that messages come as they are, and no credential of the caller's goes up as a subprotocol.
 *
 * @param forwarded as `forwardedHeaders` gives them
 */
export function handshakeHeaders(forwarded: readonly Header[]): Header[] {
  const headers: Header[] = [];
  for (const [name, value] of forwarded) {
    const spelled = name.replaceAll('_', '-');
    if (spelled === 'sec-websocket-extensions' || (spelled !== name && spelled.startsWith('sec-websocket-'))) continue;
    const kept = name === 'sec-websocket-protocol' ? withoutCredentials(value) : value;
    if (kept !== '' || kept === value) headers.push([name, kept]);
  }
  return [...headers, ['connection', 'Upgrade'], ['upgrade', 'websocket']];
}

function withoutCredentials(protocols: string): string {
  const offered = protocols.split(',').map((one) => one.trim());
  return offered.filter((one) => !CREDENTIAL_PROTOCOL.test(one)).join(', ');
}

export interface SwitchOptions {
  readonly redactor: Redactor | undefined;
  /** Masks what the headers say; undefined where nothing is masked. */
  readonly masker: StreamMasker | undefined;
  readonly counts: MaskCounts;
  /** As for `answerHeaders`. */
  readonly place: { readonly upstream: string; readonly base: string };
}

/**
 * The headers of our 101, after checking the upstream's.
 *
 * @param asked the handshake as it went up
 * @param raw the headers of the upstream's 101
 * @throws UpstreamFault where the upstream's answer does not fit to what was asked
 */
export function switchHeaders(asked: readonly Header[], raw: readonly string[], options: SwitchOptions): Header[] {
  const told = headersOf(raw);
  const accept = acceptOf(only(asked, 'sec-websocket-key'));
  if (only(told, 'sec-websocket-accept') !== accept || told.some(([name]) => name === 'sec-websocket-extensions'))
    throw new UpstreamFault('the upstream switched to something else than was asked for');
  const protocol = only(told, 'sec-websocket-protocol');
  if (protocol !== '' && !offered(asked).includes(protocol))
    throw new UpstreamFault('the upstream chose a protocol that was not offered');
  return [
    ['upgrade', 'websocket'],
    ['connection', 'Upgrade'],
    ['sec-websocket-accept', accept],
    ...(protocol === '' ? [] : [['sec-websocket-protocol', protocol] as const]),
    ...plainHeaders(raw, options),
  ];
}

/** What goes on of the headers of an answer whose body does not. */
export function plainHeaders(raw: readonly string[], { redactor, masker, counts, place }: SwitchOptions): Header[] {
  const headers = answerHeaders(raw, { altered: true, ...place }).filter(
    ([name]) => !/^(?:content-(?!security)|sec-websocket-|x-hoop-|cache-control$)/.test(name),
  );
  return shownHeaders(headers, redactor, masker, counts);
}

function acceptOf(key: string): string {
  return createHash('sha1')
    .update(key + ACCEPT_SUFFIX)
    .digest('base64');
}

function offered(asked: readonly Header[]): string[] {
  return asked
    .filter(([name]) => name === 'sec-websocket-protocol')
    .flatMap(([, value]) => value.split(','))
    .map((one) => one.trim());
}

/** Its only value; empty where there is none, or more than one. */
function only(headers: readonly Header[], name: string): string {
  const found = headers.filter(([one]) => one === name);
  return found.length === 1 ? (found[0]?.[1] ?? '') : '';
}

import { STATUS_CODES } from 'node:http';
import type { MaskCounts } from '../../../../core/mask.js';
import type { StreamMasker } from '../../../../masking/streams/stream-masker.js';
import { LONG_NUMBER } from '../../../../protocols/http/structural.js';
import type { Redactor } from '../../../../protocols/http/credentials/credential-redaction.js';
import type { Header } from '../../../../protocols/http/dialect.js';

/** Headers that hold numbers, dates and marks, in which a mask would see what is not there. */
const STRUCTURE =
  /^(?:content-(?:length|range)|date|etag|last-modified|expires|age|retry-after|x-ratelimit-.*|anthropic-ratelimit-.*)$/;
/** Left alone only while it looks like one of those, and holds no number as long as a card's. */
const MARK = /^[\w\s.,:;=/"*+-]{0,128}$/;

/** Headers as the client may see them: without the credential, and masked where they may hold someone's data. */
export function shownHeaders(
  headers: readonly Header[],
  redactor: Redactor | undefined,
  masker: StreamMasker | undefined,
  counts: MaskCounts,
): Header[] {
  const names = headers.map(([name]) => name).join('\n');
  // Nobody has such a name; what it says is dropped with it.
  const unsaid = LONG_NUMBER.test(names) || (redactor !== undefined && redactor.redactText(names) !== names);
  const told = unsaid ? headers.filter(([name]) => isSaid(name, redactor, masker)) : headers;
  return told.map(([name, sent]) => {
    const value = redactor?.redactText(sent) ?? sent;
    if (masker === undefined || (STRUCTURE.test(name) && MARK.test(value) && !LONG_NUMBER.test(value)))
      return [name, value];
    return [name, maskedText(value, masker, counts)];
  });
}

function isSaid(name: string, redactor: Redactor | undefined, masker: StreamMasker | undefined): boolean {
  if (redactor !== undefined && redactor.redactText(name) !== name) return false;
  return masker === undefined || maskedText(name, masker, new Map()) === name;
}

const REASON = /^[\t\x20-\x7e\x80-\xff]*$/;

/** The words behind the status, seen to as a header is; empty where they are the usual ones, or nothing that can be written. */
export function shownReason(
  status: number,
  reason: string,
  redactor: Redactor | undefined,
  masker: StreamMasker | undefined,
  counts: MaskCounts,
): string {
  if (reason === '' || reason === STATUS_CODES[status] || !REASON.test(reason)) return '';
  const value = redactor?.redactText(reason) ?? reason;
  return masker === undefined ? value : maskedText(value, masker, counts);
}

function maskedText(value: string, masker: StreamMasker, counts: MaskCounts): string {
  const stream = masker.text(counts);
  return Buffer.concat([stream.push(Buffer.from(value)), stream.end()]).toString();
}

/** The first value of a header; empty where it was not sent. */
export function headerOf(raw: readonly string[], name: string): string {
  for (let index = 0; index + 1 < raw.length; index += 2)
    if (raw[index]?.toLowerCase() === name) return raw[index + 1] ?? '';
  return '';
}

/** No coding at all, also as some frameworks say it that want proxies to leave their streams alone. */
const UNCODED: readonly string[] = ['identity', 'none'];

/** All content codings, in order, in lower case: a client undoes those of every header that is sent. Empty where there is none. */
export function codingsOf(raw: readonly string[]): string {
  const codings: string[] = [];
  for (let index = 0; index + 1 < raw.length; index += 2)
    if (raw[index]?.toLowerCase() === 'content-encoding') codings.push((raw[index + 1] ?? '').trim().toLowerCase());
  const all = codings.join(', ');
  return UNCODED.includes(all) ? '' : all;
}

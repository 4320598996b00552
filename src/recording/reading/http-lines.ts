import type { ChainedEvent } from '../../core/events.js';
import { block, bounded, digestOf, failureOf, list, maskedOf, number, record, text } from './event-fields.js';

/** Characters shown of a body that stands behind a message: it says what else was sent, the message is what is read. */
const BEHIND_CHARS = 1000;

/** `POST /v1/chat/completions  gpt-4o-mini, streamed` */
export function requestTitle(event: ChainedEvent): string {
  const what = [text(event['model']), event['stream'] === true ? 'streamed' : ''].filter((part) => part !== '');
  const line = `${text(event['method'])} ${text(event['path'])}`;
  return what.length === 0 ? line : `${line}  ${what.join(', ')}`;
}

/**
 * What was asked: of a model the newest message and the body behind it, else the body.
 *
 * @param max most characters of the message, or of the only body
 */
export function requestLines(event: ChainedEvent, max: number): readonly string[] {
  const model = typeof event['model'] === 'string' || typeof event['endpoint'] === 'string';
  const asked = text(event['text']);
  // Of a model's request that says nothing the text is its line, which stands above.
  const says =
    model && asked !== '' && asked !== `${text(event['method'])} ${text(event['path']).replace(/\?.*$/s, '')}`;
  const lines = says ? [`${speakerOf(event)}: ${said(event['text'], max)}`] : [];
  const size = bodySize(event);
  const body = said(event['body'], model ? Math.min(max, BEHIND_CHARS) : max);
  if (body !== '') lines.push(`${model ? 'whole request' : 'body'}, ${size}:`, `  ${body}`);
  else if (size !== '' && event['bodyBytes'] !== 0) lines.push(`body, ${size}`);
  return lines;
}

/** Who said what stands in the text of a model's request. */
export function speakerOf(event: ChainedEvent): string {
  return text(event['from']) || 'user';
}

/** What was answered: a model's text by choice, else the body; of an upgraded stream one message and who sent it. */
export function bodyLines(event: ChainedEvent, max: number): readonly string[] {
  const from = text(event['from']);
  if (from !== '') return [`${from}: ${said(event['body'], max)}${cutNote(event)}`];
  if (spokenIn(event).length > 0) return spokenIn(event).map(([from, part]) => `${from}: ${said(part, max)}`);
  const body = said(event['body'], max);
  return body === '' ? [] : [`answer, ${bodySize(event)}:`, `  ${body}`];
}

/** The texts of a model's answer, each with who says it: `thinking`, `assistant`, or `assistant 2` of several. */
export function spokenIn(event: ChainedEvent): readonly (readonly [from: string, text: unknown])[] {
  const all = Array.isArray(event['text']) ? (event['text'] as readonly unknown[]) : [];
  const thoughts = Array.isArray(event['thoughts']) ? (event['thoughts'] as readonly unknown[]) : [];
  const isThought = all.map((_, at) => thoughts.includes(at));
  const said = all.filter((part, at) => text(part) !== '' && isThought[at] === false).length;
  let number = 0;
  return all.flatMap((part, at) => {
    if (text(part) === '') return [];
    if (isThought[at] === true) return [['thinking', part] as const];
    number += 1;
    return [[said === 1 ? 'assistant' : `assistant ${String(number)}`, part] as const];
  });
}

/** `calls Read({"path":"a.txt"})`, a line each where it is known what they are called with. */
function callLines(event: ChainedEvent, max: number): readonly string[] {
  const tools = list(event['toolCalls']);
  const given = Array.isArray(event['toolArguments']) ? (event['toolArguments'] as readonly unknown[]) : [];
  if (given.length === 0) return tools.length === 0 ? [] : [`calls ${bounded(tools.join(', '), max)}`];
  const calls = Array.from({ length: Math.max(tools.length, given.length) }, (_, at) => [tools[at] ?? '', given[at]]);
  return calls.map(([name, value]) => `calls ${bounded(text(name), max)}(${said(value, max)})`);
}

/** `200 · 31 tokens in, 19 out · $0.000016 · masked email 2 · first byte after 140.2 ms · 312.4 ms`, and what else is to say. */
export function answerLines(event: ChainedEvent, max: number): readonly string[] {
  const bytes = number(event['bytes']);
  const first = number(event['firstByteMs']);
  const duration = number(event['durationMs']);
  const parts = [
    text(event['status']),
    failureOf(event, max),
    bytes === undefined ? '' : `${String(bytes)} bytes`,
    usageOf(event),
    costOf(event),
    maskedOf(event),
    first === undefined ? '' : `first byte after ${String(first)} ms`,
    duration === undefined ? '' : `${String(duration)} ms`,
  ];
  const unseen = text(event['notInspected']);
  return [
    ...callLines(event, max),
    parts.filter((part) => part !== '').join(' · '),
    ...(unseen === '' ? [] : [`not inspected: ${bounded(unseen, max)}`]),
  ].filter((line) => line !== '');
}

/** Has a result members that only HTTP's have? */
export function isAnswer(event: ChainedEvent): boolean {
  return event['status'] !== undefined || event['usage'] !== undefined || event['notInspected'] !== undefined;
}

/** What someone said stands further in than what hoop says of it, so that no line of it passes for one of hoop's. */
function said(value: unknown, max: number): string {
  return block(value, max).replaceAll('\n', '\n  ');
}

function usageOf(event: ChainedEvent): string {
  const usage = record(event['usage']);
  const input = number(usage['inputTokens']);
  const output = number(usage['outputTokens']);
  if (input === undefined && output === undefined) return '';
  const caches = [
    [number(usage['cachedInputTokens']), 'cached'],
    [number(usage['cacheWriteTokens']), 'to the cache'],
  ] as const;
  const told = caches.flatMap(([tokens, what]) => (tokens === undefined ? [] : [`${String(tokens)} ${what}`]));
  const within = told.length === 0 ? '' : ` (${told.join(', ')})`;
  return `${String(input ?? 0)} tokens in${within}, ${String(output ?? 0)} out`;
}

function costOf(event: ChainedEvent): string {
  const usd = number(event['costUsd']);
  if (usd === undefined) return '';
  if (usd > 0 && usd < 0.000001) return 'under $0.000001';
  return `$${usd.toFixed(6).replace(/\.?0+$/, '')}`;
}

function bodySize(event: ChainedEvent): string {
  const bytes = number(event['bodyBytes']);
  const kind = text(event['contentType']);
  return [bytes === undefined ? '' : `${String(bytes)} bytes`, kind].filter((part) => part !== '').join(' of ');
}

/** Said where the record holds less than was sent. */
function cutNote(event: ChainedEvent): string {
  const bytes = number(event['bodyBytes']);
  const kept = typeof event['body'] === 'string' ? event['body'].length : 0;
  // UTF-8 needs at most three bytes for a UTF-16 unit: more bytes than that were certainly cut.
  const digest = digestOf(event);
  if (digest !== '') return ` … the whole message has ${String(bytes)} bytes, ${digest}`;
  return bytes !== undefined && bytes > 3 * kept ? ` … the whole message has ${String(bytes)} bytes` : '';
}

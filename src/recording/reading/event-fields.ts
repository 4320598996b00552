import { escapeControls } from '../../core/display.js';
import type { ChainedEvent } from '../../core/events.js';

/**
 * The members of events read from a file, which may hold anything: each by its type, and escaped, so that nothing acts
 * on the reader's terminal.
 */
export type Fields = Readonly<Record<string, unknown>>;

/** Empty where it is neither text nor a number. */
export function text(value: unknown): string {
  return escapeControls(plain(value));
}

/** The same, not escaped: for those who escape as they show it. */
export function plain(value: unknown): string {
  return typeof value === 'string' ? value : typeof value === 'number' ? String(value) : '';
}

/** Of an output that is not recorded whole: its size and hash; empty where there is none. */
export function digestOf(event: ChainedEvent): string {
  const { bytes, sha256, whole } = record(event['digest']);
  const size = number(bytes);
  if (size === undefined || typeof sha256 !== 'string') return '';
  return `sha-256 of ${whole === true ? 'all' : 'the first'} ${String(size)} B ${text(sha256)}`;
}

/** What ended a session, in words. */
export function endOf(reason: unknown): string {
  return reason === 'crash' ? 'a crash of the agent, sealed at its next start' : text(reason);
}

export function number(value: unknown): number | undefined {
  return typeof value === 'number' ? value : undefined;
}

export function record(value: unknown): Fields {
  return typeof value === 'object' && value !== null ? (value as Fields) : {};
}

/** @param absent stands for null */
export function list(value: unknown, absent = ''): readonly string[] {
  return Array.isArray(value) ? value.map((item: unknown) => (item === null ? absent : text(item))) : [];
}

/** Cut after `max` characters, with the true length stated. */
export function bounded(shown: string, max: number, length = shown.length): string {
  return length <= max ? shown : `${shown.slice(0, max)} … (${String(length)} characters)`;
}

/** Text of several lines, cut after `max` characters. */
export function block(value: unknown, max: number): string {
  const whole = typeof value === 'string' ? value : '';
  return bounded(escapeControls(whole.slice(0, max), { keepNewlines: true }), max, whole.length);
}

/** `error 23505: duplicate key`; empty where it did not fail. */
export function failureOf(event: ChainedEvent, max: number): string {
  const error = record(event['error']);
  const code = text(error['code']);
  return code === '' ? '' : `error ${code}: ${bounded(text(error['message']), max)}`;
}

/** `masked email 4, phone 1`; empty where nothing was. */
export function maskedOf(event: ChainedEvent): string {
  const counts = Object.entries(record(event['masked'])).map(
    ([name, count]) => `${escapeControls(name)} ${text(count)}`,
  );
  return counts.length === 0 ? '' : `masked ${counts.join(', ')}`;
}

const DECIDED: Readonly<Record<string, string>> = {
  allow: 'allowed',
  warn: 'allowed with a warning',
  block: 'blocked',
  approve: 'held',
};

/** `blocked by production-sql/where-required: a DELETE needs a WHERE`; of an observing policy `; would block by …` */
export function decisionOf(event: ChainedEvent, max: number): string {
  const action = text(event['action']);
  const rules = list(event['rules']);
  const message = bounded(text(event['message']), max);
  const by = rules.length === 0 ? '' : ` by ${rules.join(', ')}`;
  return `${Object.hasOwn(DECIDED, action) ? (DECIDED[action] as string) : action}${by}${message === '' ? '' : `: ${message}`}${observedOf(event)}`;
}

function observedOf(event: ChainedEvent): string {
  const observed: readonly unknown[] = Array.isArray(event['observed']) ? event['observed'] : [];
  const would = observed
    .map((match) => record(match))
    .filter((match) => text(match['action']) !== 'allow')
    .map((match) => `would ${text(match['action'])} by ${text(match['rule'])}`);
  return would.length === 0 ? '' : `; ${would.join(', ')}`;
}

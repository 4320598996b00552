import { HoopError } from '../core/errors.js';
import type { OpenInput } from './contract.js';
import { isSamePerson } from './reviewers.js';

/** Statements of one person that wait at the same time, and UTF-16 units of their texts and values. */
const MAX_WAITING = 200;
const MAX_CHARS = 16 * 1024 * 1024;

/**
 * One person must not fill the lists of those who review for everybody. A single statement may be as long as any.
 *
 * @param waiting what waits now, whoever asked for it
 * @throws HoopError `limit`
 */
export function requireRoom(waiting: Iterable<{ readonly input: OpenInput }>, asked: OpenInput): void {
  let [count, chars] = [0, charsOf(asked)];
  for (const { input } of waiting) {
    if (input.kind === 'access' || !isSamePerson(input.requester, asked.requester)) continue;
    count += 1;
    chars += charsOf(input);
  }
  if (count < MAX_WAITING && (count === 0 || chars <= MAX_CHARS)) return;
  const what =
    count < MAX_WAITING ? `${String(MAX_CHARS / 1024 / 1024)} Mi characters` : `${String(MAX_WAITING)} statements`;
  throw new HoopError('limit', `more than ${what} of one person can not wait for approval at the same time`, {
    suggestion: 'wait for decisions, or withdraw some: hoop requests --mine',
  });
}

function charsOf({ text, params = [] }: OpenInput): number {
  return params.reduce((sum, value) => sum + (value?.length ?? 0), text.length);
}

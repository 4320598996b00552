import { canonicalJson, canonicalString } from '../../core/canonical-json.js';
import type { RecordedEvent } from '../../core/events.js';
import type { SealEvent, Link } from '../chain.js';
import { kindOf, type Kind, type Member } from './line-kinds.js';

/** The canonical line of an event around the place of its `hash`: `head`, then the hash, then `tail` and `}`. */
export interface LineParts {
  readonly head: string;
  readonly tail: string;
}

/**
 * Cuts an event's canonical JSON in two at the place where `hash` goes.
 *
 * Every member of every kind of event is named here, sorted once in the order of RFC 8785. What is not named counts as
 * secret and is not written, in the objects `user`, `connection`, `client`, `error`, `usage`, `closed` too.
 *
 * @throws TypeError when the event has no JSON form or is of a kind that has no members named
 */
export function lineParts(event: RecordedEvent | SealEvent, link: Link): LineParts {
  return kindLine(kindOf(event), event, link);
}

/** Only what is named. */
function classed(value: unknown, names: readonly string[]): unknown {
  if (typeof value !== 'object' || value === null) return value;
  const given = value as Readonly<Record<string, unknown>>;
  const kept: Record<string, unknown> = {};
  for (const name of names) if (given[name] !== undefined) kept[name] = given[name];
  return kept;
}

function kindLine(kind: Kind, event: RecordedEvent | SealEvent, { at, prev, seq }: Link): LineParts {
  const members = event as unknown as Readonly<Record<string, unknown>>;
  const before = kind.beforeAt.length === 0 ? '' : joined(kind.beforeAt, members, '');
  const head = joined(kind.beforeHash, members, before === '' ? `{"at":"${at}"` : `{${before.slice(1)},"at":"${at}"`);
  const prefix = kind.beforePrev.length === 0 ? '' : joined(kind.beforePrev, members, '');
  const tail = joined(kind.beforeSeq, members, `${prefix},"prev":"${prev}"`);
  return { head, tail: joined(kind.behind, members, `${tail},"seq":${seq}`) };
}

function joined(members: readonly Member[], values: Readonly<Record<string, unknown>>, start: string): string {
  let text = start;
  for (let index = 0; index < members.length; index += 1) {
    const member = members[index] as Member;
    const value = values[member.name];
    if (value === undefined) continue;
    text += member.label;
    if (member.inner !== undefined) text += canonicalJson(classed(value, member.inner), 1);
    else if (typeof value === 'string') text += canonicalString(value);
    else if (typeof value === 'number' && Number.isSafeInteger(value)) text += value;
    else
      text +=
        member.lasting && typeof value === 'object' && value !== null ? lastingText(value) : canonicalJson(value, 1);
  }
  return text;
}

const lastingTexts = new WeakMap<object, string>();

function lastingText(value: object): string {
  const known = lastingTexts.get(value);
  if (known !== undefined) return known;
  const text = canonicalJson(value, 1);
  lastingTexts.set(value, text);
  return text;
}

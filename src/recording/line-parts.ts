import { canonicalJson, canonicalName, canonicalString, sortedNames } from '../core/canonical-json.js';
import type { DecisionEvent, OutputEvent, RecordedEvent, ResultEvent, StatementEvent } from '../core/events.js';
import type { SealEvent, Link } from './chain.js';

/** The canonical line of an event around the place of its `hash`: `head`, then the hash, then `tail` and `}`. */
export interface LineParts {
  readonly head: string;
  readonly tail: string;
}

/**
 * Cuts an event's canonical JSON in two at the place where `hash` goes.
 *
 * Four kinds make up nearly all of a recording; theirs are put together member by member, in the order
 * in which RFC 8785 sorts them. Everything else goes through `anyLine`, which gives the same for those four.
 *
 * @throws TypeError when the event has no JSON form or uses a name that belongs to the chain
 */
export function lineParts(event: RecordedEvent | SealEvent, link: Link): LineParts {
  switch (event.type) {
    case 'statement':
      return statementLine(event, link);
    case 'decision':
      return decisionLine(event, link);
    case 'output':
      return 'rows' in event ? outputLine(event, link) : anyLine(event, link);
    case 'result':
      return resultLine(event, link);
    default:
      return anyLine(event, link);
  }
}

function statementLine(event: StatementEvent, { at, prev, seq }: Link): LineParts {
  const facts = event.facts === undefined ? '' : `,"facts":${lasting(event.facts)}`;
  const params = event.params === undefined ? '' : `,"params":${canonicalJson(event.params, 1)}`;
  const textBytes = event.textBytes === undefined ? '' : `,"textBytes":${canonicalJson(event.textBytes)}`;
  return {
    head: `{"at":"${at}"${facts}`,
    tail: `${params},"prev":"${prev}","seq":${seq},"statement":${canonicalJson(event.statement)},"text":${canonicalString(event.text)}${textBytes},"type":"statement","via":${canonicalString(event.via)}`,
  };
}

function decisionLine(event: DecisionEvent, { at, prev, seq }: Link): LineParts {
  const message = event.message === undefined ? '' : `,"message":${canonicalString(event.message)}`;
  const observed = event.observed === undefined ? '' : `,"observed":${canonicalJson(event.observed, 1)}`;
  return {
    head: `{"action":${canonicalString(event.action)},"at":"${at}"`,
    tail: `${message}${observed},"policyHash":${canonicalString(event.policyHash)},"prev":"${prev}","rules":${canonicalJson(event.rules, 1)},"seq":${seq},"statement":${canonicalJson(event.statement)},"type":"decision"`,
  };
}

function outputLine(event: OutputEvent, { at, prev, seq }: Link): LineParts {
  const columns = event.columns === undefined ? '' : `,"columns":${lasting(event.columns)}`;
  return {
    head: `{"at":"${at}"${columns}`,
    tail: `,"prev":"${prev}","rows":${canonicalJson(event.rows, 1)},"seq":${seq},"statement":${canonicalJson(event.statement)},"totalRows":${canonicalJson(event.totalRows)},"type":"output"`,
  };
}

function resultLine(event: ResultEvent, { at, prev, seq }: Link): LineParts {
  const bytes = event.bytes === undefined ? '' : `,"bytes":${canonicalJson(event.bytes)}`;
  const duration = event.durationMs === undefined ? '' : `,"durationMs":${canonicalJson(event.durationMs)}`;
  const error = event.error === undefined ? '' : `,"error":${canonicalJson(event.error, 1)}`;
  const masked = event.masked === undefined ? '' : `,"masked":${canonicalJson(event.masked, 1)}`;
  const rows = event.rows === undefined ? '' : `,"rows":${canonicalJson(event.rows)}`;
  const tag = event.tag === undefined ? '' : `,"tag":${canonicalString(event.tag)}`;
  return {
    head: `{"at":"${at}"${bytes}${duration}${error}`,
    tail: `${masked},"prev":"${prev}"${rows},"seq":${seq},"statement":${canonicalJson(event.statement)}${tag},"type":"result"`,
  };
}

/** Facts and columns are the same object wherever the same text runs again: their JSON is made once. */
const lastingTexts = new WeakMap<object, string>();

function lasting(value: object): string {
  const known = lastingTexts.get(value);
  if (known !== undefined) return known;
  const text = canonicalJson(value, 1);
  lastingTexts.set(value, text);
  return text;
}

/** In the order in which they sort. */
const OWN_NAMES = ['at', 'prev', 'seq'];

/** The same for any event, by its names alone. */
export function anyLine(event: RecordedEvent | SealEvent, link: Link): LineParts {
  const members = event as unknown as Readonly<Record<string, unknown>>;
  const own = [`"at":${canonicalString(link.at)}`, `"prev":"${link.prev}"`, `"seq":${link.seq}`] as const;
  let head = '';
  let tail = '';
  let placed = 0;
  // `type`, which every event has, sorts behind all of the chain's names: each finds its place before it.
  for (const name of sortedNames(event)) {
    const value = members[name];
    if (value === undefined) continue;
    for (; placed < 3 && name >= (OWN_NAMES[placed] as string); placed += 1) {
      if (placed === 0) head += `${head === '' ? '{' : ','}${own[0]}`;
      else tail += `,${own[placed] as string}`;
    }
    if (name === 'hash' || name === OWN_NAMES[placed - 1]) throw new TypeError('event uses a name of the chain');
    const member = `${canonicalName(name)}${canonicalJson(value, 1)}`;
    if (name < 'hash') head += `${head === '' ? '{' : ','}${member}`;
    else tail += `,${member}`;
  }
  return { head, tail };
}

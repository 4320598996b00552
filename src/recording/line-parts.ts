import { canonicalJson, canonicalName, canonicalString, sortedNames } from '../core/canonical-json.js';
import type {
  BodyEvent,
  DecisionEvent,
  OutputEvent,
  RecordedEvent,
  RequestEvent,
  ResultEvent,
  SessionEnd,
  SessionStart,
  StatementEvent,
} from '../core/events.js';
import type { SealEvent, Link } from './chain.js';

/** The canonical line of an event around the place of its `hash`: `head`, then the hash, then `tail` and `}`. */
export interface LineParts {
  readonly head: string;
  readonly tail: string;
}

/**
 * Cuts an event's canonical JSON in two at the place where `hash` goes.
 *
 * The kinds that make up nearly all of a recording have their members' names sorted once, in the order of RFC 8785;
 * everything else goes through `anyLine`, which gives the same for those.
 *
 * @throws TypeError when the event has no JSON form or uses a name that belongs to the chain
 */
export function lineParts(event: RecordedEvent | SealEvent, link: Link): LineParts {
  const kind = kindOf(event);
  return kind === undefined ? anyLine(event, link) : kindLine(kind, event, link);
}

function kindOf(event: RecordedEvent | SealEvent): Kind | undefined {
  switch (event.type) {
    case 'statement':
      return STATEMENT;
    case 'decision':
      return DECISION;
    case 'output':
      return 'rows' in event ? OUTPUT : BODY;
    case 'result':
      return RESULT;
    case 'session.start':
      return START;
    case 'request':
      return REQUEST;
    case 'session.end':
      return END;
    case 'seal':
      return SEAL;
    default:
      return undefined;
  }
}

/** A member of a kind of event: its name, and as it stands in a line. */
interface Member {
  readonly name: string;
  /** `,"name":` */
  readonly label: string;
  /** The same object wherever the same text runs again: its JSON is made once. */
  readonly lasting: boolean;
}

/** The members of a kind of event besides the chain's own, sorted, cut where the chain's go. */
interface Kind {
  readonly beforeAt: readonly Member[];
  readonly beforeHash: readonly Member[];
  readonly beforePrev: readonly Member[];
  readonly beforeSeq: readonly Member[];
  readonly behind: readonly Member[];
}

const LASTING = new Set(['facts', 'columns']);

/** The members of `E`, each named: one that is forgotten here does not compile, since it would be lost in silence. */
function kind<E>(names: Readonly<Record<Exclude<keyof E, 'hash'> & string, true>>): Kind {
  const members = sortedNames(names).map((name) => ({
    name,
    label: `,${canonicalName(name)}`,
    lasting: LASTING.has(name),
  }));
  const between = (from: string, to: string): Member[] =>
    members.filter(({ name }) => name > from && (to === '' || name < to));
  return {
    beforeAt: between('', 'at'),
    beforeHash: between('at', 'hash'),
    beforePrev: between('hash', 'prev'),
    beforeSeq: between('prev', 'seq'),
    behind: between('seq', ''),
  };
}

const STATEMENT = kind<StatementEvent>({
  type: true,
  statement: true,
  text: true,
  via: true,
  params: true,
  facts: true,
  textBytes: true,
});
const DECISION = kind<DecisionEvent>({
  type: true,
  statement: true,
  action: true,
  rules: true,
  message: true,
  policyHash: true,
  observed: true,
});
const OUTPUT = kind<OutputEvent>({ type: true, statement: true, columns: true, rows: true, totalRows: true });
const BODY = kind<BodyEvent>({
  type: true,
  statement: true,
  body: true,
  bodyBytes: true,
  contentType: true,
  text: true,
  from: true,
});
const RESULT = kind<ResultEvent>({
  type: true,
  statement: true,
  tag: true,
  rows: true,
  bytes: true,
  masked: true,
  durationMs: true,
  error: true,
  status: true,
  firstByteMs: true,
  usage: true,
  costUsd: true,
  toolCalls: true,
  notInspected: true,
  messages: true,
  closed: true,
});
const START = kind<SessionStart>({
  type: true,
  session: true,
  user: true,
  connection: true,
  credential: true,
  secrets: true,
  client: true,
  correlationId: true,
});
const REQUEST = kind<RequestEvent>({
  type: true,
  statement: true,
  method: true,
  path: true,
  text: true,
  body: true,
  bodyBytes: true,
  contentType: true,
  endpoint: true,
  model: true,
  stream: true,
  facts: true,
});
const END = kind<SessionEnd>({ type: true, reason: true, statements: true, blocked: true });
const SEAL = kind<SealEvent>({ type: true, keyId: true, signature: true });

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
    if (typeof value === 'string') text += canonicalString(value);
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

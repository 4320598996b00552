import { canonicalName, sortedNames } from '../../core/canonical-json.js';
import type {
  ApprovalPreviewed,
  ApprovalRequested,
  ApprovalResolved,
  ApprovalReviewed,
  ApprovalVoted,
  BodyEvent,
  DecisionEvent,
  GrantEnded,
  GrantGiven,
  OutputEvent,
  RecordedEvent,
  RequestEvent,
  ResultEvent,
  SessionEnd,
  SessionStart,
  StatementEvent,
  TtyEvent,
} from '../../core/events.js';
import type { SealEvent } from '../chain.js';

/** Whoever adds a kind of event to `core/events` names its members below: this does not compile before. */
function unclassed(event: never): never {
  throw new TypeError(`events of kind ${String((event as { readonly type?: unknown }).type)} have no members named`);
}

/** The members of an event's kind. @throws TypeError when it is of a kind that has no members named */
export function kindOf(event: RecordedEvent | SealEvent): Kind {
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
    case 'approval.requested':
      return REQUESTED;
    case 'approval.resolved':
      return RESOLVED;
    case 'approval.preview':
      return PREVIEWED;
    case 'approval.voted':
      return VOTED;
    case 'approval.reviewed':
      return REVIEWED;
    case 'grant.given':
      return GIVEN;
    case 'grant.ended':
      return ENDED;
    case 'tty':
      return TTY;
    case 'seal':
      return SEAL;
    default:
      return unclassed(event);
  }
}

/** A member of a kind of event: its name, and as it stands in a line. */
export interface Member {
  readonly name: string;
  /** `,"name":` */
  readonly label: string;
  /** The same object wherever the same text runs again: its JSON is made once. */
  readonly lasting: boolean;
  /** Of an object: the names that are written. */
  readonly inner: readonly string[] | undefined;
}

/** The members of a kind of event besides the chain's own, sorted, cut where the chain's go. */
export interface Kind {
  readonly beforeAt: readonly Member[];
  readonly beforeHash: readonly Member[];
  readonly beforePrev: readonly Member[];
  readonly beforeSeq: readonly Member[];
  readonly behind: readonly Member[];
}

const LASTING = new Set(['facts', 'columns']);

/** Names of an object's members, each of them, so that one that is forgotten does not compile. */
function inside<T>(names: Readonly<Record<keyof T & string, true>>): readonly string[] {
  return Object.keys(names);
}

const INNER: ReadonlyMap<string, readonly string[]> = new Map([
  [
    'user',
    inside<SessionStart['user']>({
      subject: true,
      email: true,
      groups: true,
      issuer: true,
      machine: true,
      attributes: true,
    }),
  ],
  ['connection', inside<SessionStart['connection']>({ name: true, type: true, labels: true })],
  ['client', inside<SessionStart['client']>({ application: true, address: true, database: true })],
  ['error', inside<NonNullable<ResultEvent['error']>>({ code: true, message: true })],
  [
    'usage',
    inside<NonNullable<ResultEvent['usage']>>({
      inputTokens: true,
      outputTokens: true,
      cachedInputTokens: true,
      cacheWriteTokens: true,
    }),
  ],
  ['digest', inside<NonNullable<ResultEvent['digest']>>({ bytes: true, sha256: true, whole: true })],
  ['closed', inside<NonNullable<ResultEvent['closed']>>({ code: true, by: true })],
]);

/** The members of `E`, each named: one that is forgotten here does not compile, since it would be lost in silence. */
function kind<E>(names: Readonly<Record<Exclude<keyof E, 'hash'> & string, true>>): Kind {
  const members = sortedNames(names).map((name) => ({
    name,
    label: `,${canonicalName(name)}`,
    lasting: LASTING.has(name),
    inner: INNER.get(name),
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
  digest: true,
  contentType: true,
  text: true,
  thoughts: true,
  from: true,
});
const RESULT = kind<ResultEvent>({
  type: true,
  statement: true,
  tag: true,
  rows: true,
  bytes: true,
  digest: true,
  masked: true,
  durationMs: true,
  error: true,
  status: true,
  firstByteMs: true,
  usage: true,
  costUsd: true,
  toolCalls: true,
  toolArguments: true,
  notInspected: true,
  messages: true,
  closed: true,
});
const START = kind<SessionStart>({
  type: true,
  session: true,
  kind: true,
  user: true,
  connection: true,
  credential: true,
  secrets: true,
  client: true,
  correlationId: true,
  grant: true,
});
const REQUEST = kind<RequestEvent>({
  type: true,
  statement: true,
  method: true,
  path: true,
  from: true,
  text: true,
  body: true,
  bodyBytes: true,
  contentType: true,
  endpoint: true,
  model: true,
  stream: true,
  facts: true,
});
const REQUESTED = kind<ApprovalRequested>({
  type: true,
  statement: true,
  request: true,
  flow: true,
  reason: true,
  durationMs: true,
  breakGlass: true,
});
const VOTED = kind<ApprovalVoted>({ type: true, statement: true, request: true, by: true, durationMs: true });
const REVIEWED = kind<ApprovalReviewed>({
  type: true,
  statement: true,
  request: true,
  session: true,
  verdict: true,
  by: true,
  reason: true,
});
const GIVEN = kind<GrantGiven>({
  type: true,
  statement: true,
  request: true,
  grant: true,
  scope: true,
  expiresAt: true,
});
const ENDED = kind<GrantEnded>({
  type: true,
  statement: true,
  request: true,
  grant: true,
  session: true,
  state: true,
  by: true,
  reason: true,
});
const RESOLVED = kind<ApprovalResolved>({
  type: true,
  statement: true,
  request: true,
  outcome: true,
  by: true,
  reason: true,
  grant: true,
});
const PREVIEWED = kind<ApprovalPreviewed>({
  type: true,
  statement: true,
  request: true,
  by: true,
  flow: true,
  rows: true,
  shown: true,
  notes: true,
  refused: true,
});
const TTY = kind<TtyEvent>({ type: true, statement: true, from: true, data: true, columns: true, rows: true });
const END = kind<SessionEnd>({ type: true, reason: true, statements: true, blocked: true });
const SEAL = kind<SealEvent>({ type: true, keyId: true, signature: true });

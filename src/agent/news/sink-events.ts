import type { DecisionEvent, RecordedEvent, SessionEnd, SessionStart } from '../../core/events.js';
import type { SinkEvent, SinkEventName } from '../../core/sink-event.js';
import type { Notice } from '../notices.js';
import { VERSION } from '../version.js';

/** When something happened, and what it is called from then on. */
export interface EventStamp {
  readonly id: string;
  readonly atMs: number;
}

/** Something of a session, as it was recorded. */
export interface SessionMoment {
  readonly start: SessionStart;
  readonly event: SessionStart | DecisionEvent | SessionEnd;
  /** The statement or request that a decision is about. */
  readonly asked: Extract<RecordedEvent, { type: 'statement' | 'request' }> | undefined;
}

/** Version of the schema whose names are used. */
const OCSF = '1.5.0';
/** OCSF classes of category 6, application activity. */
const DATASTORE_ACTIVITY = 6005;
const API_ACTIVITY = 6003;
const CONNECT = 3;
const QUERY = 4;
const OTHER = 99;
/** Of a statement; the recording has the whole. */
const MAX_TEXT_CHARS = 16_000;
const SEVERITIES = { 1: 'Informational', 2: 'Low', 3: 'Medium', 4: 'High' } as const;

type Severity = SinkEvent['severity_id'];
type Who = SessionStart['user'] | Notice['request']['requester'];

const SESSION_WORDS: Readonly<Partial<Record<SinkEventName, readonly [Severity, string]>>> = {
  'session.start': [1, 'opened a session on'],
  'session.end': [1, 'ended a session on'],
  'decision.allow': [1, 'was allowed a statement on'],
  'decision.warn': [2, 'was warned of a statement on'],
  'decision.approve': [2, 'needs approval for a statement on'],
  'decision.block': [3, 'was blocked on'],
};

/** What the sinks are told of a session. */
export function sessionEvent(name: SinkEventName, moment: SessionMoment, stamp: EventStamp): SinkEvent {
  const { start, event, asked } = moment;
  const [severity, words] = SESSION_WORDS[name] ?? [1, name];
  const decision = event.type === 'decision' ? event : undefined;
  const [rule] = decision?.rules ?? [];
  const message = `${calledName(start.user)} ${words} ${start.connection.name}${rule === undefined ? '' : ` by ${rule}`}`;
  const blocked = decision === undefined ? undefined : decision.action === 'block';
  return {
    ...shared(name, stamp, severity, message, start.connection),
    ...(blocked === undefined || decision?.action === 'approve' ? {} : verdict(!blocked)),
    ...correlated(name, stamp, start.correlationId),
    actor: { user: userOf(start.user), session: { uid: start.session, issuer: start.user.issuer } },
    ...endpoint(start.client.address),
    ...(asked === undefined || asked.statement !== decision?.statement ? {} : query(asked.text)),
    ...(rule === undefined ? {} : { firewall_rule: { uid: rule, ...described(decision?.message) } }),
    unmapped: {
      credential: start.credential,
      ...(decision === undefined ? {} : { statement: decision.statement, rules: decision.rules }),
      ...(decision === undefined ? {} : { policyHash: decision.policyHash }),
      ...(decision?.observed === undefined ? {} : { observed: decision.observed }),
      ...(event.type === 'session.end'
        ? { reason: event.reason, statements: event.statements, blocked: event.blocked }
        : {}),
    },
  };
}

/** What the sinks are told of a request for approval, or of the grant it left. */
export function approvalEvent(
  name: SinkEventName,
  { request, grant }: Notice,
  stamp: EventStamp,
  withoutSecrets: (text: string) => string,
): SinkEvent {
  const [rule] = request.rules;
  const over = name === 'approval.resolved';
  const connection = { name: request.connection, type: request.connectionType };
  const why = withoutSecrets(request.reason);
  return {
    ...shared(name, stamp, name === 'approval.break-glass' ? 4 : 2, approvalMessage(name, request), connection),
    ...(over ? { ...verdict(request.state === 'approved'), status: request.state } : {}),
    ...correlated(name, stamp, request.correlationId),
    actor: {
      user: userOf(request.requester),
      ...(request.session === '' ? {} : { session: { uid: request.session, issuer: request.requester.issuer } }),
    },
    ...endpoint(request.client?.address),
    ...(request.text === '' ? {} : query(request.text)),
    ...(rule === undefined ? {} : { firewall_rule: { uid: rule.rule, ...described(rule.message) } }),
    unmapped: {
      ...{
        request: request.id,
        kind: request.kind ?? 'statement',
        flows: request.flows,
        credential: request.credential,
      },
      ...(request.session === '' ? {} : { statement: request.statement }),
      ...((request.params?.length ?? 0) === 0 ? {} : { boundValues: request.params?.length }),
      ...(why === '' ? {} : { reason: why }),
      ...(over ? { outcome: request.state, by: request.decidedBy } : { expiresAt: request.expiresAt }),
      ...(request.decisionReason === '' ? {} : { decisionReason: withoutSecrets(request.decisionReason) }),
      ...(request.durationMs === undefined ? {} : { durationMs: request.durationMs }),
      votes: request.votes.map(({ subject, email, at }) => ({ by: email === '' ? subject : email, at })),
      ...(request.review === undefined
        ? {}
        : { review: { ...request.review, reason: withoutSecrets(request.review.reason) } }),
      ...(grant === undefined ? {} : { grant: grant.id, grantState: grant.state, endedBy: grant.endedBy }),
    },
  };
}

function approvalMessage(
  name: SinkEventName,
  { requester, connection, state, decidedBy, kind }: Notice['request'],
): string {
  const what = kind === 'access' ? `access to ${connection}` : `a statement on ${connection}`;
  const who = calledName(requester);
  switch (name) {
    case 'approval.requested':
      return `${who} asks for approval of ${what}`;
    case 'approval.voted':
      return `${who} waits for further approval of ${what}`;
    case 'approval.break-glass':
      return `${who} went ahead with ${what} under break-glass`;
    case 'approval.reviewed':
      return `what ${who} did with ${what} under break-glass was looked at`;
    case 'grant.ended':
      return `the grant of ${who} for ${what} has ended`;
    default:
      return `the request of ${who} for ${what} is ${state}${decidedBy === '' ? '' : ` by ${decidedBy}`}`;
  }
}

function shared(
  name: SinkEventName,
  stamp: EventStamp,
  severity: Severity,
  message: string,
  connection: { readonly name: string; readonly type: string },
) {
  const database = connection.type === 'postgres';
  const classUid = database ? DATASTORE_ACTIVITY : API_ACTIVITY;
  const activity = !database
    ? OTHER
    : name === 'session.start'
      ? CONNECT
      : name.startsWith('decision.')
        ? QUERY
        : OTHER;
  return {
    type: name,
    time: stamp.atMs,
    message,
    category_uid: 6,
    class_uid: classUid,
    activity_id: activity,
    type_uid: classUid * 100 + activity,
    severity_id: severity,
    severity: SEVERITIES[severity],
    dst_endpoint: { name: connection.name, type: connection.type },
  };
}

function correlated(name: SinkEventName, stamp: EventStamp, correlationId: string | undefined) {
  return {
    metadata: {
      uid: stamp.id,
      version: OCSF,
      product: { name: 'hoop', vendor_name: 'hoop', version: VERSION },
      event_code: name,
      ...(correlationId === undefined || correlationId === '' ? {} : { correlation_uid: correlationId }),
    },
  };
}

function verdict(allowed: boolean): Pick<SinkEvent, 'action' | 'action_id'> {
  return allowed ? { action_id: 1, action: 'Allowed' } : { action_id: 2, action: 'Denied' };
}

function userOf(user: Who): SinkEvent['actor']['user'] {
  return {
    uid: user.subject,
    ...(user.email === '' ? {} : { email_addr: user.email }),
    type: user.machine ? 'machine' : 'person',
    groups: user.groups.map((name) => ({ name })),
  };
}

function calledName({ email, subject }: Who): string {
  return email === '' ? subject : email;
}

function endpoint(address: string | undefined) {
  return address === undefined || address === '' ? {} : { src_endpoint: { ip: address } };
}

function described(words: string | undefined) {
  return words === undefined || words === '' ? {} : { desc: words };
}

function query(text: string) {
  const whole = text.length <= MAX_TEXT_CHARS;
  return { query_info: { query_string: whole ? text : `${text.slice(0, MAX_TEXT_CHARS)}…` } };
}

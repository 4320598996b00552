import type { ReviewedRequest, Reviewer } from '../core/approval.js';
import type { ReviewCondition } from '../core/resources.js';
import type { ExpressionFault } from './expression-fault.js';
import { compileCondition, type Vocabulary } from './expression-condition.js';

/** What a condition may read, and the CEL types: the part of a request that does not change while it waits. */
const REQUEST_FIELDS = {
  connection: 'string',
  type: 'string',
  credential: 'string',
  kind: 'string',
  requester: 'Requester',
  reason: 'string',
  rules: 'list<string>',
  // Minutes of access asked for; 0 for a statement.
  minutes: 'int',
  facts: 'map<string, dyn>',
} as const;

const PERSON_FIELDS = { subject: 'string', email: 'string', groups: 'list<string>', issuer: 'string' } as const;
const REQUESTER_FIELDS = { ...PERSON_FIELDS, machine: 'bool' } as const;

class PersonFacts {
  readonly subject: string;
  readonly email: string;
  readonly groups: readonly string[];
  readonly issuer: string;

  constructor({ subject, email, groups, issuer }: Reviewer) {
    this.subject = subject;
    this.email = email;
    this.groups = groups;
    this.issuer = issuer;
  }
}

class RequesterFacts extends PersonFacts {
  readonly machine: boolean;

  constructor(requester: ReviewedRequest['requester']) {
    super(requester);
    this.machine = requester.machine;
  }
}

class RequestFacts {
  readonly connection: string;
  readonly type: string;
  readonly credential: string;
  readonly kind: string;
  readonly requester: RequesterFacts;
  readonly reason: string;
  readonly rules: readonly string[];
  readonly minutes: bigint;
  readonly facts: Readonly<Record<string, unknown>>;

  constructor(request: ReviewedRequest) {
    this.connection = request.connection;
    this.type = request.connectionType;
    this.credential = request.credential;
    this.kind = request.kind ?? 'statement';
    this.requester = new RequesterFacts(request.requester);
    this.reason = request.reason;
    this.rules = request.rules.map(({ rule }) => rule);
    this.minutes = BigInt(Math.ceil((request.durationMs ?? 0) / 60_000));
    this.facts = request.facts ?? {};
  }
}

const REVIEW: Vocabulary = {
  variables: ['request', 'reviewer'],
  fields: [...Object.keys(REQUEST_FIELDS), ...Object.keys(REQUESTER_FIELDS)],
  declare: (environment) => {
    environment.registerType('Reviewer', { ctor: PersonFacts, fields: PERSON_FIELDS });
    environment.registerType('Requester', { ctor: RequesterFacts, fields: REQUESTER_FIELDS });
    environment.registerType('Request', { ctor: RequestFacts, fields: REQUEST_FIELDS });
    environment.registerVariable('request', 'Request');
    environment.registerVariable('reviewer', 'Reviewer');
  },
};

/** Reads one condition over `request` and `reviewer`: which requests a reviewer of a flow may decide. */
export function compileReviewCondition(
  text: string,
): { readonly condition: ReviewCondition } | { readonly fault: ExpressionFault } {
  const compiled = compileCondition<{ request: RequestFacts; reviewer: PersonFacts }>(text, REVIEW);
  if ('fault' in compiled) return compiled;
  const { evaluate } = compiled;
  return {
    condition: {
      text,
      holds: (request, reviewer) => {
        try {
          return evaluate({ request: new RequestFacts(request), reviewer: new PersonFacts(reviewer) });
        } catch {
          return false;
        }
      },
    },
  };
}

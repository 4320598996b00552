import type { Approvals, OpenInput } from '../../approvals/approvals.js';
import { type Permitted, storedName } from '../../connections/access.js';
import type { ApprovalRequest } from '../../core/approval.js';
import { durationText } from '../../core/duration-text.js';
import { HoopError } from '../../core/errors.js';
import type { Identity } from '../../core/identity.js';
import type { ApprovalFlowResource } from '../../core/resources.js';
import { bindHash } from './bind-hash.js';

/** Open requests for access that one person may have: more are a mistake of a script. */
const MAX_OPEN = 20;

export interface AccessAsked {
  readonly caller: Identity;
  readonly permitted: Permitted;
  /** The flow that gives access to the connection. */
  readonly flow: ApprovalFlowResource;
  /** In ms; undefined: as long as its grants last. */
  readonly durationMs: number | undefined;
  readonly reason: string;
  /** Address that the call came from. */
  readonly address: string;
  /** What the client calls itself. */
  readonly application: string;
}

/**
 * Asks for time-bound access to a connection. The same asked again while it waits is the same request.
 *
 * @throws HoopError `usage` for a duration over the connection's or the flow's, or a reason that is missing; `limit`;
 * what `Approvals.open` throws
 */
export function requestAccess(approvals: Approvals, asked: AccessAsked): ApprovalRequest {
  const input = inputOf(asked);
  const open = approvals
    .list(asked.caller, { state: 'pending', mine: true })
    .filter((request) => request.kind === 'access' && request.state === 'pending');
  const same = open.find(
    (request) =>
      request.bindHash === input.bindHash &&
      request.durationMs === input.durationMs &&
      (input.reason === '' || request.reason === input.reason),
  );
  if (same !== undefined) return same;
  if (open.length >= MAX_OPEN)
    throw new HoopError('limit', `more than ${String(MAX_OPEN)} requests for access wait already`, {
      suggestion: 'see them with `hoop requests --mine`',
    });
  return approvals.open(input).request;
}

function inputOf(asked: AccessAsked): OpenInput {
  const { caller, permitted, flow, reason, address, application } = asked;
  const { subject, email, groups, issuer, machine } = caller;
  const { connection } = permitted;
  const credential = storedName(permitted);
  const durationMs = durationOf(asked);
  return {
    kind: 'access',
    session: '',
    statement: 0,
    connection: connection.name,
    connectionType: connection.type,
    credential,
    requester: { subject, email, groups, issuer, machine },
    client: { ...(address === '' ? {} : { address }), ...(application === '' ? {} : { application }) },
    text: `access to ${connection.name} for ${durationText(durationMs)}`,
    bindHash: bindHash(new TextEncoder().encode('access'), connection.name, credential, caller, ''),
    rules: [],
    flows: [flow.name],
    reason,
    correlationId: '',
    durationMs,
  };
}

function durationOf({ durationMs, permitted, flow }: AccessAsked): number {
  const { name, access } = permitted.connection;
  const longest = Math.min(access.maxDurationMs ?? Infinity, flow.maxDurationMs ?? Infinity);
  const wanted = durationMs ?? Math.min(flow.grant.ttlMs, longest);
  if (wanted <= longest) return wanted;
  throw new HoopError('usage', `${durationText(longest)} is the longest that access to ${name} is given for`, {
    suggestion: `ask again with --duration ${durationText(longest)} or less`,
  });
}

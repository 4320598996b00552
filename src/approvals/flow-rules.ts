import type { ApprovalRequest } from '../core/approval.js';
import { durationText } from '../core/duration-text.js';
import { HoopError } from '../core/errors.js';
import { meetsGroups } from '../core/identity.js';
import type { ApprovalFlowResource } from '../core/resources.js';
import { endOfWindow, isWithin, scheduleText } from './schedule.js';

type Asked = Pick<ApprovalRequest, 'reason' | 'requester' | 'kind' | 'durationMs'>;

/**
 * What flows ask of a request before anyone is bothered with it.
 *
 * @throws HoopError `approval_denied` outside of a schedule, or where reason, ticket or duration are not as they must be
 */
export function requireAskable(flows: readonly ApprovalFlowResource[], asked: Asked, nowMs: number): void {
  for (const flow of flows) {
    requireReason(flow, asked.reason);
    requireWithin(flow, nowMs);
    const { maxDurationMs } = flow;
    if (maxDurationMs !== undefined && (asked.durationMs ?? 0) > maxDurationMs)
      throw new HoopError('usage', `${durationText(maxDurationMs)} is the longest that ${flow.name} gives`, {
        suggestion: `ask again with --duration ${durationText(maxDurationMs)} or less`,
      });
  }
}

function requireReason(flow: ApprovalFlowResource, reason: string): void {
  const { reasonRequired, ticket } = flow;
  const suggestion = 'give it with --reason TEXT';
  if (reasonRequired === true && !saysSomething(reason))
    throw new HoopError('usage', `${flow.name} asks for a reason`, { suggestion });
  if (ticket !== undefined && !ticket.test(reason))
    throw new HoopError('usage', `${flow.name} asks for a reason that holds ${ticket.pattern}`, {
      suggestion,
    });
}

/** A letter or digit that can be seen: fillers and joiners are letters, too, and say nothing to whoever looks afterwards. */
function saysSomething(reason: string): boolean {
  return /[\p{L}\p{N}]/u.test(reason.replace(/\p{Default_Ignorable_Code_Point}/gu, ''));
}

/**
 * What flows ask of an approval.
 *
 * @param durationMs for how long it is given, where the reviewer says so
 * @throws HoopError `approval_denied` outside of a schedule, `usage` for a duration that can't be given
 */
export function requireApprovable(
  flows: readonly ApprovalFlowResource[],
  request: Asked,
  durationMs: number | undefined,
  nowMs: number,
): void {
  for (const flow of flows) requireWithin(flow, nowMs);
  if (durationMs === undefined) return;
  const longest = longestGrant(flows, request);
  if (longest === undefined)
    throw new HoopError('usage', 'this request can not be approved for a time', {
      suggestion: 'approve it without a duration, or set maxDuration in its flow',
    });
  if (durationMs > longest)
    throw new HoopError('usage', `this request can be approved for ${durationText(longest)} at most`);
}

function requireWithin({ name, schedule }: ApprovalFlowResource, nowMs: number): void {
  if (schedule === undefined || isWithin(schedule, nowMs)) return;
  throw new HoopError('approval_denied', `${name} gives approvals only within ${scheduleText(schedule)}`, {
    suggestion: 'ask again at that time',
  });
}

/** Does this go ahead at once? A person of the break-glass groups of every flow, who says why. */
export function breaksGlass(flows: readonly ApprovalFlowResource[], { reason, requester }: Asked): boolean {
  // A machine answers to nobody afterwards.
  if (requester.machine || !saysSomething(reason)) return false;
  return flows.every(({ breakGlass }) => breakGlass !== undefined && meetsGroups(breakGlass.groups, requester));
}

/** Until when a request waits, in ms since the epoch: what is held as long as the shortest `wait`. */
export function expiryOf(flows: readonly ApprovalFlowResource[], kind: Asked['kind'], nowMs: number): number {
  const spans = flows.map(({ waitMs, expiryMs }) => (kind === 'access' ? (expiryMs ?? waitMs) : waitMs));
  return nowMs + Math.min(...spans);
}

/** Longest time that an approval of this request can be given for, in ms; undefined: for no time. */
export function longestGrant(flows: readonly ApprovalFlowResource[], asked: Asked): number | undefined {
  if (asked.kind === 'access') return asked.durationMs;
  const longest = flows.map(({ maxDurationMs }) => maxDurationMs ?? 0);
  return longest.includes(0) ? undefined : Math.min(...longest);
}

/** What an approved request leaves behind under one flow: its scope and life. */
export interface GrantTerms {
  readonly scope: ApprovalFlowResource['grant']['scope'];
  readonly expiresAtMs: number;
  /** Undefined: any number until it expires. */
  readonly usesLeft: number | undefined;
}

/**
 * Terms of the grant. What reviewers said counts, the shortest of it; a flow's schedule ends a grant with its hours,
 * unless the glass was broken.
 */
export function grantTerms(flow: ApprovalFlowResource, request: ApprovalRequest, nowMs: number): GrantTerms {
  const { grant, schedule } = flow;
  const said = saidDuration(request);
  const access = request.kind === 'access';
  const lastsMs = access ? Math.min(request.durationMs ?? grant.ttlMs, said ?? Infinity) : (said ?? grant.ttlMs);
  const latestMs = nowMs + lastsMs;
  const clipped = schedule !== undefined && request.breakGlass !== true;
  const lasting = access || said !== undefined || grant.scope !== 'statement' || grant.unlimitedUses;
  return {
    scope: access ? 'connection' : grant.scope,
    expiresAtMs: clipped ? endOfWindow(schedule, nowMs, latestMs) : latestMs,
    usesLeft: lasting ? undefined : 0,
  };
}

/** Of a statement it needs everybody who approved to make it more than this one run. */
function saidDuration({ kind, votes }: ApprovalRequest): number | undefined {
  const said = votes.flatMap(({ durationMs }) => durationMs ?? []);
  const enough = kind === 'access' ? said.length > 0 : said.length === votes.length && votes.length > 0;
  return enough ? Math.min(...said) : undefined;
}

import type { ApprovalRequest, ApprovalVote, FlowProgress, Reviewer } from '../core/approval.js';
import type { Identity } from '../core/identity.js';
import { meetsGroups } from '../core/identity.js';
import type { ApprovalFlowResource, ReviewerEntry } from '../core/resources.js';

type Person = Pick<Identity, 'subject' | 'issuer'>;

/** The same person: a subject means something only within its issuer. */
export function isSamePerson(one: Person, other: Person): boolean {
  return one.subject === other.subject && one.issuer === other.issuer;
}

/**
 * May they be one human? Someone with accounts at two trusted providers has two subjects, and most likely one address.
 * Good to refuse by, never to allow by: an address is what a provider says it is.
 */
export function mayBeOneHuman(one: Person & { email: string }, other: Person & { email: string }): boolean {
  return isSamePerson(one, other) || (one.email !== '' && one.email.toLowerCase() === other.email.toLowerCase());
}

/**
 * May this caller approve or deny under this flow? Never a machine, never a token of a provider
 * that is not for reviewers, never the requester, by whatever account, unless the flow says so.
 */
export function mayReview(flow: ApprovalFlowResource, request: ApprovalRequest, viewer: Identity): boolean {
  if (viewer.machine || !viewer.mayReview) return false;
  if (mayBeOneHuman(viewer, request.requester) && !flow.selfApproval) return false;
  return flow.reviewers.some((entry) => fits(flow, entry, request, viewer));
}

/** May this person fill a place of the entry, by group and by the conditions of flow and entry? */
function fits(flow: ApprovalFlowResource, entry: ReviewerEntry, request: ApprovalRequest, person: Reviewer): boolean {
  if (!meetsGroups(entry.groups, person)) return false;
  return [flow.condition, entry.condition].every((condition) => condition?.holds(request, person) ?? true);
}

/**
 * Do the votes meet every reviewer entry of the flow with distinct people?
 *
 * Each entry asks for `count` places; a person fills one place at most, however many of the
 * entries' groups they are in.
 */
export function isMet(flow: ApprovalFlowResource, request: ApprovalRequest): boolean {
  const places = placesOf(flow);
  return places.length > 0 && seated(flow, request).size === places.length;
}

/** What the flow still needs: for each entry how many of its places are filled, by as many people as can be seated. */
export function progressOf(flow: ApprovalFlowResource, request: ApprovalRequest): FlowProgress {
  const places = placesOf(flow);
  const filled = [...seated(flow, request).values()].map((place) => places[place]);
  return {
    flow: flow.name,
    entries: flow.reviewers.map((entry) => ({
      groups: entry.groups,
      count: entry.count,
      given: filled.filter((place) => place === entry).length,
    })),
  };
}

function placesOf(flow: ApprovalFlowResource): readonly ReviewerEntry[] {
  return flow.reviewers.flatMap((entry) => Array.from({ length: entry.count }, () => entry));
}

/**
 * Who fills which place. Found by augmenting paths (bipartite matching): greedy choice would refuse sets of
 * people that do suffice.
 */
function seated(flow: ApprovalFlowResource, request: ApprovalRequest): ReadonlyMap<ApprovalVote, number> {
  const voters = request.votes.filter(
    (vote, at) =>
      (flow.selfApproval || !mayBeOneHuman(vote, request.requester)) &&
      !request.votes.slice(0, at).some((earlier) => mayBeOneHuman(earlier, vote)),
  );
  const places = placesOf(flow);
  const mayFill = (place: number, voter: ApprovalVote): boolean => {
    const entry = places[place];
    return entry !== undefined && fits(flow, entry, request, voter);
  };
  const placeOf = new Map<ApprovalVote, number>();
  for (const place of places.keys()) seat(place, voters, mayFill, placeOf, new Set());
  return placeOf;
}

/** Fills a place, moving people who sit to other places they may fill. `tried` ends each search. */
function seat(
  place: number,
  voters: readonly ApprovalVote[],
  mayFill: (place: number, voter: ApprovalVote) => boolean,
  placeOf: Map<ApprovalVote, number>,
  tried: Set<ApprovalVote>,
): boolean {
  for (const voter of voters) {
    if (tried.has(voter) || !mayFill(place, voter)) continue;
    tried.add(voter);
    const taken = placeOf.get(voter);
    if (taken === undefined || seat(taken, voters, mayFill, placeOf, tried)) {
      placeOf.set(voter, place);
      return true;
    }
  }
  return false;
}

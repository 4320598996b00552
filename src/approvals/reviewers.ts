import type { ApprovalRequest, ApprovalVote } from '../core/approval.js';
import type { Identity } from '../core/identity.js';
import { meetsGroups } from '../core/identity.js';
import type { ApprovalFlowResource } from '../core/resources.js';

type Person = Pick<Identity, 'subject' | 'issuer'>;

/** The same person: a subject means something only within its issuer. */
export function isSamePerson(one: Person, other: Person): boolean {
  return one.subject === other.subject && one.issuer === other.issuer;
}

/**
 * May this caller approve or deny under this flow? Never a machine, never a token of a provider
 * that is not for reviewers, never the requester unless the flow says so.
 */
export function mayReview(flow: ApprovalFlowResource, request: ApprovalRequest, viewer: Identity): boolean {
  if (viewer.machine || !viewer.mayReview) return false;
  if (isSamePerson(viewer, request.requester) && !flow.selfApproval) return false;
  return flow.reviewers.some((entry) => meetsGroups(entry.groups, viewer));
}

/**
 * Do the votes meet every reviewer entry of the flow with distinct people?
 *
 * Each entry asks for `count` places; a person fills one place at most, however many of the
 * entries' groups they are in. Who fills which is found by augmenting paths (bipartite matching):
 * greedy choice would refuse sets of people that do suffice.
 */
export function isMet(flow: ApprovalFlowResource, request: ApprovalRequest): boolean {
  const voters = request.votes.filter((vote) => flow.selfApproval || !isSamePerson(vote, request.requester));
  const places = flow.reviewers.flatMap((entry) => Array.from({ length: entry.count }, () => entry.groups));
  if (places.length === 0 || voters.length < places.length) return false;
  const placeOf = new Map<ApprovalVote, number>();
  return places.every((_, place) => seat(place, places, voters, placeOf, new Set()));
}

/** Fills a place, moving people who sit to other places they may fill. `tried` ends each search. */
function seat(
  place: number,
  places: readonly (readonly string[])[],
  voters: readonly ApprovalVote[],
  placeOf: Map<ApprovalVote, number>,
  tried: Set<ApprovalVote>,
): boolean {
  for (const voter of voters) {
    if (tried.has(voter) || !meetsGroups(places[place] ?? [], voter)) continue;
    tried.add(voter);
    const taken = placeOf.get(voter);
    if (taken === undefined || seat(taken, places, voters, placeOf, tried)) {
      placeOf.set(voter, place);
      return true;
    }
  }
  return false;
}

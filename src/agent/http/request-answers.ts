import type { Approvals } from '../../approvals/approvals.js';
import type { ApprovalRequest, Grant, GrantView, RequestView } from '../../core/approval.js';
import type { Identity } from '../../core/identity.js';

/** A request as a caller sees it; the hash is nobody's business but the agent's. */
export function viewOf(
  approvals: Pick<Approvals, 'mayDecide' | 'progress' | 'longestGrant'>,
  caller: Identity,
  request: ApprovalRequest,
): RequestView {
  const { bindHash: _hidden, preview, previewWanted, ...shown } = request;
  // Rows that a requester may change are not always rows that they may read.
  const reviews = approvals.mayDecide(caller, request);
  const open = request.state === 'pending' || (request.breakGlass === true && request.review === undefined);
  const longest = request.state === 'pending' ? approvals.longestGrant(request) : undefined;
  return {
    ...shown,
    ...(previewWanted !== true || !reviews ? {} : { previewWanted }),
    ...(preview === undefined || !reviews ? {} : { preview }),
    mayDecide: open && reviews,
    progress: approvals.progress(request),
    ...(longest === undefined ? {} : { maxDurationMs: longest }),
  };
}

/** A grant as a caller sees it. @param everyone they may end anybody's */
export function grantViewOf(approvals: Approvals, caller: Identity, grant: Grant, everyone: boolean): GrantView {
  const { bindHash: _hidden, ...shown } = grant;
  return { ...shown, mayRevoke: grant.state === 'active' && (everyone || approvals.mayRevoke(caller, grant)) };
}

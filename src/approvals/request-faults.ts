import type { ApprovalRequest } from '../core/approval.js';
import { HoopError } from '../core/errors.js';
import type { Identity } from '../core/identity.js';

/** The same for what is not there and what is not the caller's to see. */
export function noSuchRequest(): HoopError {
  return new HoopError('not_found', 'no such request');
}

/** Says who was first. */
export function alreadyDecided(request: ApprovalRequest): HoopError {
  const by = request.decidedBy === '' ? '' : ` by ${request.decidedBy}`;
  return new HoopError('already_decided', `the request is ${request.state} already${by}`);
}

/** How records and people name who decided. */
export function nameOf(identity: Pick<Identity, 'email' | 'subject'>): string {
  return identity.email === '' ? identity.subject : identity.email;
}

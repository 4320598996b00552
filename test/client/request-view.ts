import type { RequestView } from '../../src/core/approval.js';
import { heldStatement, person } from '../approvals/desk.js';

/** A request as the agent shows it to one who may decide it. */
export function requestView(id: string, more: Partial<RequestView> = {}): RequestView {
  const { bindHash: _hidden, ...held } = heldStatement(person('alice', ['engineering']));
  return {
    ...held,
    id,
    createdAt: '2026-11-21T10:00:00.000000Z',
    expiresAt: '2026-11-21T10:05:00.000Z',
    state: 'pending',
    votes: [],
    decidedBy: '',
    decidedAt: '',
    decisionReason: '',
    mayDecide: true,
    ...more,
  };
}

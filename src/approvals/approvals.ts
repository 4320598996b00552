import { ApprovalDesk } from './approval-desk.js';
import type { Approvals, ApprovalsOptions } from './contract.js';

export type {
  ApprovalEvent,
  Approvals,
  ApprovalsOptions,
  GrantListFilter,
  ListFilter,
  Opened,
  OpenInput,
} from './contract.js';

/** Statements left pending by an agent that died are cancelled here: whoever waited for them is gone. */
export function createApprovals<Timer>(options: ApprovalsOptions<Timer>): Approvals {
  return new ApprovalDesk(options);
}

import { ApprovalRecords } from './approval-records.js';
import type { Parts } from '../parts.js';

/** Records what no session records of approvals, from now on. */
export function approvalRecords(
  { recordings, approvals, store, live, newId, log, notices }: Parts,
  withoutSecrets: (text: string) => string,
): ApprovalRecords {
  const records = new ApprovalRecords({
    open: (start) => recordings.open(start),
    newId,
    labelsOf: (name) => live.current.connections.find((one) => one.name === name)?.labels ?? {},
    grantsOf: (request) => store.grants.list({ request }),
    withdraw: (id, why) => approvals.withdraw(id, why),
    withoutSecrets,
    log: (message, fields) => {
      log.error(message, fields);
    },
  });
  notices.listen((notice) => {
    records.notice(notice);
  });
  return records;
}

import type { RequestView } from '../core/approval.js';
import { stateOf } from './request-lines.js';
import type { Column } from './table.js';

/** The columns of `hoop requests`. */
export const REQUEST_COLUMNS: readonly Column<RequestView>[] = [
  { header: 'id', value: ({ id }) => id },
  { header: 'state', value: stateOf },
  { header: 'who', value: ({ requester }) => (requester.email === '' ? requester.subject : requester.email) },
  { header: 'connection', value: ({ connection }) => connection },
  { header: 'asked', value: ({ createdAt }) => `${createdAt.slice(0, 19)}Z` },
  { header: 'statement', value: ({ text }) => text },
];

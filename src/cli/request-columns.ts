import type { RequestView } from '../core/approval.js';
import { stateOf } from './request-lines.js';
import type { Column } from './table.js';

/** The columns of `hoop requests`. */
export const REQUEST_COLUMNS: readonly Column<RequestView>[] = [
  { header: 'id', value: ({ id }) => id },
  { header: 'state', value: stateOf, least: 8 },
  { header: 'who', value: ({ requester }) => (requester.email === '' ? requester.subject : requester.email), least: 8 },
  { header: 'connection', value: ({ connection }) => connection, least: 8 },
  { header: 'asked', value: ({ createdAt }) => `${createdAt.slice(0, 19)}Z`, spare: 1 },
  { header: 'statement', value: ({ text }) => text, least: 12 },
];

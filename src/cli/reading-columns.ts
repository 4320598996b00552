import type { Reading } from '../core/reading.js';
import type { Column } from './table.js';

/** How a list of readings reads. */
export const readingColumns: readonly Column<Reading>[] = [
  { header: 'at', value: ({ at }) => `${at.slice(0, 19).replace('T', ' ')}Z` },
  { header: 'user', value: ({ email, subject }) => (email === '' ? subject : email), least: 10 },
  { header: 'what', value: ({ what }) => what },
  { header: 'session', value: ({ session }) => session },
  { header: 'detail', value: ({ detail }) => detail, least: 8, spare: 1 },
];

import type { SecretView } from '../core/secret-view.js';
import type { Column } from './table.js';

/** Seconds are enough for people. */
const moment = (at: string): string => (at === '' ? '-' : `${at.slice(0, 19)}Z`);

export const secretColumns: readonly Column<SecretView>[] = [
  { header: 'name', value: ({ name }) => name },
  { header: 'state', value: ({ missing, revoked }) => (missing ? 'not set' : revoked ? 'revoked' : 'set') },
  { header: 'version', value: ({ version }) => String(version) },
  { header: 'changed', value: ({ changedAt }) => moment(changedAt) },
  { header: 'by', value: ({ changedBy }) => changedBy || '-' },
  { header: 'last used', value: ({ usedAt }) => moment(usedAt) },
  { header: 'rotates', value: ({ rotatesAt }) => moment(rotatesAt) },
  { header: 'connections', value: ({ connections }) => connections.join(', ') || '-' },
];

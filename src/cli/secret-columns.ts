import type { SecretView } from '../core/secret-view.js';
import type { Column } from './table.js';

/** Seconds are enough for people. */
const moment = (at: string): string => (at === '' ? '-' : `${at.slice(0, 19)}Z`);

export const secretColumns: readonly Column<SecretView>[] = [
  { header: 'name', value: ({ name }) => name, least: 16 },
  { header: 'state', value: ({ missing, revoked }) => (missing ? 'not set' : revoked ? 'revoked' : 'set') },
  { header: 'version', value: ({ version }) => String(version), spare: 1 },
  { header: 'changed', value: ({ changedAt }) => moment(changedAt) },
  { header: 'by', value: ({ changedBy }) => changedBy || '-', least: 8, spare: 3 },
  { header: 'last used', value: ({ usedAt }) => moment(usedAt) },
  { header: 'rotates', value: ({ rotatesAt }) => moment(rotatesAt), spare: 2 },
  { header: 'connections', value: ({ connections }) => connections.join(', ') || '-', least: 11, spare: 4 },
];

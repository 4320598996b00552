import type { ConnectionResource } from '../../core/resources.js';
import type { SecretRow } from '../../core/secret-row.js';
import type { SecretView } from '../../core/secret-view.js';
import { storedSecretsOf } from '../../secrets/credential-secrets.js';
import type { StoredSecrets } from '../../secrets/stored-secrets.js';
import type { AgentLog } from '../log.js';
import type { PasswordRotation } from './password-rotation.js';
import type { SecretUses } from './secret-uses.js';

export interface SecretDeskOptions {
  readonly secrets: StoredSecrets;
  readonly rotation: PasswordRotation;
  readonly uses: SecretUses;
  readonly connections: () => readonly ConnectionResource[];
  readonly log: Pick<AgentLog, 'info'>;
}

/** What administrators do with secrets. Who is one, the routes say. */
export class SecretDesk {
  constructor(private readonly options: SecretDeskOptions) {}

  /** All that are stored, and those that connections name and nobody has set. */
  list(): readonly SecretView[] {
    const rows = this.options.secrets.list();
    const named = new Set(
      this.options.connections().flatMap(({ credentials }) => credentials.flatMap(storedSecretsOf)),
    );
    const missing = [...named].filter((name) => !rows.some((row) => row.name === name));
    return [...rows.map((row) => this.#view(row)), ...missing.map((name) => this.#view(neverSet(name)))].sort((a, b) =>
      a.name < b.name ? -1 : 1,
    );
  }

  /** @throws HoopError `usage`, `limit` */
  set(name: string, value: string, by: string): SecretView {
    return this.#told('set', this.options.secrets.set(name, value, by), by);
  }

  /** @throws HoopError as `PasswordRotation` */
  async rotate(name: string, by: string): Promise<SecretView> {
    return this.#told('rotated', await this.options.rotation.rotate(name, by), by);
  }

  /** Takes the value away and ends the sessions that use it. @throws HoopError `not_found` */
  revoke(name: string, by: string): SecretView & { readonly endedSessions: number } {
    const row = this.options.secrets.revoke(name, by);
    const endedSessions = this.options.uses.endAll(name);
    return { ...this.#told('revoked', row, by), endedSessions };
  }

  #told(what: string, row: SecretRow, by: string): SecretView {
    this.options.log.info(`secret ${what}`, { secret: row.name, by });
    return this.#view(row);
  }

  #view(row: SecretRow): SecretView {
    const everyMs = this.options.rotation.everyMs(row.name);
    const due =
      everyMs === undefined || row.revoked || row.version === 0 ? undefined : Date.parse(row.changedAt) + everyMs;
    return {
      id: row.name,
      ...row,
      missing: row.version === 0,
      connections: this.options
        .connections()
        .filter(({ credentials }) => credentials.some((credential) => storedSecretsOf(credential).includes(row.name)))
        .map(({ name }) => name),
      rotatesAt: due === undefined ? '' : new Date(due).toISOString(),
    };
  }
}

function neverSet(name: string): SecretRow {
  return { name, version: 0, changedAt: '', changedBy: '', revoked: false, usedAt: '', uses: 0 };
}

import { randomBytes } from 'node:crypto';
import { HoopError, messageOf } from '../../core/errors.js';
import { isHttpConnection, type ConnectionResource } from '../../core/resources.js';
import type { SecretRow } from '../../core/secret-row.js';
import type { StoredSecrets } from '../../secrets/stored-secrets.js';
import { noSuchSecret } from '../../secrets/stored-secrets.js';
import { changeRolePassword, checkRolePassword, type RoleLogin } from '../fronts/postgres/role-password.js';
import type { AgentLog } from '../log.js';

const LOOK_EVERY_MS = 60_000;
/** After a failure. */
const RETRY_AFTER_MS = 15 * 60_000;
const PASSWORD_BYTES = 32;

type Role = Omit<RoleLogin, 'password'> & { readonly everyMs: number | undefined };

export interface PasswordRotationOptions {
  readonly secrets: StoredSecrets;
  readonly connections: () => readonly ConnectionResource[];
  readonly nowMs: () => number;
  readonly log: Pick<AgentLog, 'info' | 'error'>;
}

/**
 * Changes passwords of database roles: by command, and by age where `rotation` says so. At every moment the store holds
 * a password that works, wherever the agent is ended: the next one is on disk before the server learns of it, and the
 * old one is dropped only once the new one has logged in.
 */
export class PasswordRotation {
  readonly #running = new Map<string, Promise<SecretRow>>();
  readonly #failedAtMs = new Map<string, number>();
  #timer: NodeJS.Timeout | undefined;

  constructor(private readonly options: PasswordRotationOptions) {}

  /** Finishes what an earlier process began, then looks once a minute which passwords are too old. */
  start(): void {
    void this.#settleAll();
    this.#timer = setInterval(() => void this.rotateDue(), LOOK_EVERY_MS).unref();
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  /**
   * Gives the role that the secret is the password of another one.
   *
   * @throws HoopError `not_found`; `usage` where it is no database password, or that of several roles;
   *   `upstream_unreachable` where the server did not go through with it: the old one stays
   */
  rotate(name: string, by: string): Promise<SecretRow> {
    const running = this.#running.get(name);
    if (running !== undefined) return running;
    const work = this.#rotate(name, by).finally(() => this.#running.delete(name));
    this.#running.set(name, work);
    return work;
  }

  /** Every rotation that is due now. */
  async rotateDue(): Promise<void> {
    const { nowMs, log } = this.options;
    for (const row of this.options.secrets.list()) {
      const everyMs = this.everyMs(row.name);
      const retry = nowMs() - (this.#failedAtMs.get(row.name) ?? Number.NEGATIVE_INFINITY) >= RETRY_AFTER_MS;
      if (row.revoked || everyMs === undefined || Date.parse(row.changedAt) + everyMs > nowMs() || !retry) continue;
      try {
        await this.rotate(row.name, 'rotation');
        this.#failedAtMs.delete(row.name);
      } catch (error) {
        this.#failedAtMs.set(row.name, nowMs());
        log.error(`password not rotated: ${messageOf(error)}`, { secret: row.name });
      }
    }
  }

  /** How old the secret may get, in ms; undefined where nothing says. */
  everyMs(name: string): number | undefined {
    const ages = this.#roles(name).flatMap(({ everyMs }) => everyMs ?? []);
    return ages.length === 0 ? undefined : Math.min(...ages);
  }

  async #rotate(name: string, by: string): Promise<SecretRow> {
    const { secrets, log } = this.options;
    const known = secrets.info(name);
    if (known === undefined) throw noSuchSecret();
    const role = this.#role(name);
    await this.#settle(name, role);
    const old = secrets.peek(name);
    const next = randomBytes(PASSWORD_BYTES).toString('base64url');
    secrets.prepare(name, next);
    try {
      await changeRolePassword({ ...role, password: old }, next);
    } catch (error) {
      // It may have reached the server all the same.
      await this.#settle(name, role);
      if (secrets.info(name)?.version === known.version) throw error;
    }
    if (secrets.info(name)?.version === known.version) secrets.take(name, next, by);
    // Somebody set another value meanwhile: the one that logs in is kept.
    else await this.#settle(name, role);
    await this.#confirm(name, { ...role, password: next }, old);
    log.info('password rotated', { secret: name, user: role.user });
    return secrets.info(name) as SecretRow;
  }

  /** The new password has to log in; where the old one does instead, the server took nothing over. */
  async #confirm(name: string, login: RoleLogin, old: string): Promise<void> {
    try {
      await checkRolePassword(login);
    } catch (error) {
      const oldWorks = await works({ ...login, password: old });
      if (oldWorks) this.options.secrets.take(name, old, 'rotation');
      throw error;
    }
  }

  async #settleAll(): Promise<void> {
    for (const name of this.options.secrets.unsettled()) {
      try {
        await this.#settle(name, this.#role(name));
      } catch (error) {
        this.options.log.error(`a rotation that was broken off is not settled: ${messageOf(error)}`, { secret: name });
      }
    }
  }

  /** Which password holds where a rotation was broken off? The one that logs in. */
  async #settle(name: string, role: Omit<RoleLogin, 'password'>): Promise<void> {
    const { secrets } = this.options;
    const next = secrets.prepared(name);
    if (next === undefined) return;
    if (await works({ ...role, password: next })) secrets.take(name, next, 'rotation');
    // Where neither can be tried, the server is away: nothing is dropped.
    else if (await works({ ...role, password: secrets.peek(name) })) secrets.drop(name);
    else throw new HoopError('upstream_unreachable', 'neither password logs in, or the server is away');
  }

  #role(name: string): Omit<RoleLogin, 'password'> {
    const roles = this.#roles(name);
    const [first] = roles;
    if (first === undefined)
      throw new HoopError('usage', 'no Postgres connection uses this secret as a password', {
        suggestion: `change it where it is from, then run \`hoop secrets set ${name}\``,
      });
    if (roles.some((role) => roleKey(role) !== roleKey(first)))
      throw new HoopError('usage', 'several roles share this secret', {
        suggestion: 'give each role a secret of its own',
      });
    return first;
  }

  #roles(name: string): readonly Role[] {
    return this.options
      .connections()
      .flatMap((connection) =>
        isHttpConnection(connection)
          ? []
          : connection.credentials
              .filter(({ password }) => password !== undefined && 'secret' in password && password.secret === name)
              .map(({ username, rotateEveryMs }) => ({ connection, user: username, everyMs: rotateEveryMs })),
      );
  }
}

function roleKey({ connection, user }: Role): string {
  return JSON.stringify([connection.host, connection.port, user]);
}

async function works(login: RoleLogin): Promise<boolean> {
  return checkRolePassword(login).then(
    () => true,
    () => false,
  );
}

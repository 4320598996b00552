import { createHash } from 'node:crypto';
import { readdirSync, rmSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { escapeControls } from '../core/display.js';
import { HoopError, messageOf } from '../core/errors.js';
import { keychain as systemKeychain } from './keychain.js';
import type { Keychain } from './keychain.js';
import type { LoginPlace } from './login-place.js';
import { readPrivateFile, writePrivateFile } from './private-file.js';
import { asTokenSet } from './token-set.js';
import type { TokenSet } from './token-set.js';

/** `logins/HASH.json`: that there is a login, and where its tokens are; the tokens themselves only where no keychain is. */
interface LoginFile {
  readonly profile: string;
  readonly agentUrl: string;
  readonly keptIn: 'keychain' | 'file';
  readonly tokens?: TokenSet;
}

type Where = Pick<LoginPlace, 'profile' | 'agentUrl'>;

/**
 * Does `HOOP_KEYRING` say that tokens are kept in a file?
 *
 * @throws HoopError `usage` for anything but `file`, `keychain` (as unset) and nothing: a misspelt one would
 *   keep tokens elsewhere than meant
 */
export function keptInFile(env: Readonly<Record<string, string | undefined>>): boolean {
  const said = env['HOOP_KEYRING'] ?? '';
  if (said === 'file') return true;
  if (said === '' || said === 'keychain') return false;
  throw new HoopError('usage', `HOOP_KEYRING is ${escapeControls(said)}`, {
    suggestion: 'set it to `file` or `keychain`, or leave it out',
  });
}

/**
 * The tokens of this user's logins: one login for each profile and agent.
 *
 * They are in the operating system's keychain; where there is none, or with `HOOP_KEYRING=file`, in a
 * file that only the user may read.
 */
export class TokenStore {
  readonly #folder: string;
  readonly #keychain: Keychain | undefined;
  readonly #say: (text: string) => void;

  /** @param options.say tells people that tokens are in a file; called once for a login */
  constructor(
    options: Pick<LoginPlace, 'folder' | 'env'> & {
      readonly say: (text: string) => void;
      readonly keychain?: Keychain;
    },
  ) {
    this.#folder = join(options.folder, 'logins');
    this.#keychain = keptInFile(options.env) ? undefined : (options.keychain ?? systemKeychain);
    this.#say = options.say;
  }

  /**
   * The login's tokens; undefined where there is no login.
   *
   * @throws HoopError `not_logged_in` where the keychain that holds them does not give them out,
   *   `config_invalid` where a file does not hold what it should
   */
  async read(where: Where): Promise<TokenSet | undefined> {
    const file = this.#readFile(this.#path(where));
    if (file === undefined) return undefined;
    if (file.keptIn === 'file') return file.tokens;
    const kept = await this.#fromKeychain(where);
    return kept === undefined ? undefined : asTokenSet(JSON.parse(kept));
  }

  /** Keeps the tokens of a login or a refresh. */
  async write(where: Where, tokens: TokenSet): Promise<void> {
    const before = this.#readFile(this.#path(where));
    const { profile, agentUrl } = where;
    // What is in a file stays there: a refresh is no time for questions of the keychain.
    if (before?.keptIn !== 'file' && (await this.#toKeychain(where, tokens))) {
      this.#writeFile(where, { profile, agentUrl, keptIn: 'keychain' });
      return;
    }
    this.#writeFile(where, { profile, agentUrl, keptIn: 'file', tokens });
    if (before === undefined) this.#say(`No keychain is used: the login is kept in ${this.#path(where)} (0600).`);
  }

  /** Forgets the login. */
  async erase(where: Where): Promise<void> {
    const path = this.#path(where);
    const file = this.#readFile(path);
    if (file === undefined) return;
    if (file.keptIn === 'keychain') {
      await this.#keychain?.erase(account(where)).catch((error: unknown) => {
        throw new HoopError('failed', 'the keychain does not erase the login', { cause: error });
      });
    }
    try {
      rmSync(path, { force: true });
    } catch (error) {
      throw new HoopError('failed', 'the login is not erased on this machine', {
        why: messageOf(error),
        suggestion: `make ${dirname(path)} writable, then run \`hoop logout\` again`,
        cause: error,
      });
    }
  }

  /** When the login was last kept or refreshed, in ms; undefined where there is none. */
  changedAt(where: Where): number | undefined {
    return statSync(this.#path(where), { throwIfNoEntry: false })?.mtimeMs;
  }

  /** Every login there is. */
  list(): readonly Where[] {
    let names: string[];
    try {
      names = readdirSync(this.#folder);
    } catch {
      return [];
    }
    return names
      .filter((name) => name.endsWith('.json'))
      .map((name) => this.#readFile(join(this.#folder, name)))
      .filter((file) => file !== undefined)
      .map(({ profile, agentUrl }) => ({ profile, agentUrl }));
  }

  /** The lock file to hold while the login is refreshed. */
  lockPath(where: Where): string {
    return this.#path(where).replace(/json$/, 'lock');
  }

  #path(where: Where): string {
    const name = createHash('sha256').update(account(where)).digest('hex').slice(0, 32);
    return join(this.#folder, `${name}.json`);
  }

  #readFile(path: string): LoginFile | undefined {
    const text = readPrivateFile(path);
    if (text === undefined) return undefined;
    const file = asLoginFile(text);
    if (file !== undefined) return file;
    throw new HoopError('config_invalid', `${path} does not hold a login`, {
      suggestion: `remove it and run \`hoop login\``,
    });
  }

  #writeFile(where: Where, file: LoginFile): void {
    writePrivateFile(this.#path(where), `${JSON.stringify(file)}\n`);
  }

  async #fromKeychain(where: Where): Promise<string | undefined> {
    try {
      if (this.#keychain === undefined) throw new Error('HOOP_KEYRING=file, and the login is in the keychain');
      return await this.#keychain.read(account(where));
    } catch (error) {
      throw new HoopError('not_logged_in', 'the keychain does not give the login out', { cause: error });
    }
  }

  async #toKeychain(where: Where, tokens: TokenSet): Promise<boolean> {
    if (this.#keychain === undefined) return false;
    try {
      await this.#keychain.write(account(where), JSON.stringify(tokens));
      return true;
    } catch {
      // None here, locked, or too small for this token: the file does the same work.
      return false;
    }
  }
}

function account({ profile, agentUrl }: Where): string {
  return `${profile} ${agentUrl}`;
}

function asLoginFile(text: string): LoginFile | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  const given = (typeof value === 'object' && value !== null ? value : {}) as Record<string, unknown>;
  const { profile, agentUrl, keptIn, tokens } = given;
  if (typeof profile !== 'string' || typeof agentUrl !== 'string') return undefined;
  if (keptIn === 'keychain') return { profile, agentUrl, keptIn };
  const set = asTokenSet(tokens);
  return keptIn === 'file' && set !== undefined ? { profile, agentUrl, keptIn, tokens: set } : undefined;
}

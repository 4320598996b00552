import { TokenStore } from '../../identity/token-store.js';
import { configFolder, listProfiles } from './profile.js';

/** One profile as `hoop profile list` shows it. */
export interface ProfileLine {
  readonly id: string;
  readonly name: string;
  readonly agent: string;
  /** Is it used where nothing else is named? */
  readonly current: boolean;
  /** Is there a login at its agent? Whether that is still good, only the agent can say. */
  readonly loggedIn: boolean;
}

/** Every profile with its agent, by name. */
export function profileLines(env: Readonly<Record<string, string | undefined>>): readonly ProfileLine[] {
  const logins = new TokenStore({ folder: configFolder(env), env, say: () => undefined }).list();
  return listProfiles(env).map(({ name, agent, current }) => ({
    id: name,
    name,
    agent,
    current,
    loggedIn: logins.some((login) => login.profile === name && login.agentUrl === agent),
  }));
}

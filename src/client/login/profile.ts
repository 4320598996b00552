import { homedir } from 'node:os';
import { join } from 'node:path';
import { HoopError } from '../../core/errors.js';
import { nearest } from '../../core/nearest.js';
import type { LoginPlace } from '../../identity/login-place.js';
import { isLoopback } from '../../identity/loopback.js';
import { isUnwritable, readPrivateFile, writePrivateFile } from '../../identity/private-file.js';

type Environment = Readonly<Record<string, string | undefined>>;

/** `profiles.json`: which agent each profile talks to. */
interface ProfilesFile {
  readonly current: string;
  readonly profiles: Readonly<Record<string, { readonly agent: string }>>;
}

/** `ports.json`: profile → agent → connection → the port it had the first time. */
type PortsFile = Readonly<Record<string, Readonly<Record<string, Readonly<Record<string, number>>>>>>;

const NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/;

/** One agent and the login there, under a name; ports are remembered for it. */
export class Profile {
  constructor(
    readonly name: string,
    /** Canonical, no slash at the end. */
    readonly agentUrl: string,
    private readonly folder: string,
    private readonly env: Environment,
  ) {}

  /** Where this profile's tokens are kept and taken from. */
  login(): LoginPlace {
    return { folder: this.folder, profile: this.name, agentUrl: this.agentUrl, env: this.env };
  }

  /** The port that the connection had before here; undefined the first time. */
  portFor(connection: string): number | undefined {
    const port = own(own(own(readPorts(this.folder), this.name), this.agentUrl), connection);
    return port;
  }

  /** Ports of every connection, agent and profile: a new connection gets one that is none of them. */
  rememberedPorts(): ReadonlySet<number> {
    const agents = Object.values(readPorts(this.folder)).flatMap((ofProfile) => Object.values(ofProfile));
    return new Set(agents.flatMap((ofAgent) => Object.values(ofAgent)));
  }

  /**
   * Keeps the port for the next time: people write it into their editor once. Where nothing can be kept, as in a
   * container without a writable home, the next start looks for one again, and mostly finds the same.
   */
  rememberPort(connection: string, port: number): void {
    const ports = readPorts(this.folder);
    const agents = own(ports, this.name) ?? {};
    const connections = { ...own(agents, this.agentUrl), [connection]: port };
    const next = { ...ports, [this.name]: { ...agents, [this.agentUrl]: connections } };
    try {
      writePrivateFile(join(this.folder, 'ports.json'), `${JSON.stringify(next, null, 2)}\n`);
    } catch (error) {
      if (!isUnwritable(error)) throw error;
    }
  }
}

/**
 * The profile that flags, environment and files name, in this order.
 *
 * @param options.name undefined: `current` of the file, else `default`
 * @param options.agent address that goes before the profile's own
 * @throws HoopError `config_missing` where no agent is known, `usage` for an address or name that is none,
 *   `config_invalid` for a file that does not hold what it should
 */
export function openProfile(options: {
  readonly env: Environment;
  readonly name?: string | undefined;
  readonly agent?: string | undefined;
}): Profile {
  const folder = configFolder(options.env);
  const file = readProfiles(folder);
  const name = checkName(options.name ?? file.current);
  const agent = options.agent ?? own(file.profiles, name)?.agent;
  if (agent === undefined) {
    throw new HoopError('config_missing', 'no agent is known', { why: `the profile ${name} names none` });
  }
  return new Profile(name, parseAgentUrl(agent), folder, options.env);
}

/** Keeps the profile's agent in the file; the first profile kept becomes the current one. */
export function saveProfile(profile: Profile, env: Environment): void {
  const folder = configFolder(env);
  const file = readProfiles(folder);
  const first = Object.keys(file.profiles).length === 0;
  const next: ProfilesFile = {
    current: first ? profile.name : file.current,
    profiles: { ...file.profiles, [profile.name]: { agent: profile.agentUrl } },
  };
  writeProfiles(folder, next);
}

/**
 * Makes a kept profile the one that commands use where nothing else is named.
 *
 * @throws HoopError `not_found`
 */
export function useProfile(name: string, env: Environment): { readonly name: string; readonly agent: string } {
  const folder = configFolder(env);
  const file = readProfiles(folder);
  const profile = own(file.profiles, checkName(name));
  if (profile === undefined) {
    const near = nearest(name, Object.keys(file.profiles));
    throw new HoopError('not_found', 'no such profile', {
      why: near === undefined ? '`hoop profile list` shows those there are' : `the nearest is ${near}`,
      suggestion: `run \`hoop login AGENT_URL --profile ${name}\` to make it`,
    });
  }
  writeProfiles(folder, { ...file, current: name });
  return { name, agent: profile.agent };
}

/** Every profile kept, by name. */
export function listProfiles(
  env: Environment,
): readonly { readonly name: string; readonly agent: string; readonly current: boolean }[] {
  const file = readProfiles(configFolder(env));
  return Object.entries(file.profiles)
    .map(([name, { agent }]) => ({ name, agent, current: name === file.current }))
    .sort((left, right) => (left.name < right.name ? -1 : 1));
}

/** The folder of hoop's own files: `HOOP_CONFIG_DIR`, else where this platform keeps such things. */
export function configFolder(env: Environment, platform: NodeJS.Platform = process.platform): string {
  const given = env['HOOP_CONFIG_DIR'];
  if (given !== undefined && given !== '') return given;
  if (platform === 'win32') return join(env['APPDATA'] ?? join(homedir(), 'AppData', 'Roaming'), 'hoop');
  if (platform === 'darwin') return join(homedir(), 'Library', 'Application Support', 'hoop');
  // A relative XDG_CONFIG_HOME is to be ignored: https://specifications.freedesktop.org/basedir-spec/latest/#variables
  const xdg = env['XDG_CONFIG_HOME'];
  return join(xdg?.startsWith('/') === true ? xdg : join(homedir(), '.config'), 'hoop');
}

/**
 * The address in canonical form, without a slash at the end.
 *
 * @throws HoopError `usage`; also for plain http that would leave this machine, since tokens travel there
 */
export function parseAgentUrl(text: string): string {
  const suggestion = 'write it like https://agent.example.com:8443';
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || (url.protocol !== 'https:' && url.protocol !== 'http:')) {
    throw new HoopError('usage', 'the address of the agent is no http or https URL', { suggestion });
  }
  if (url.username !== '' || url.password !== '' || url.search !== '' || url.hash !== '') {
    throw new HoopError('usage', 'the address of the agent holds more than host, port and path', { suggestion });
  }
  if (url.protocol === 'http:' && !isLoopback(url)) {
    throw new HoopError('usage', 'plain http to an agent on another machine is refused', {
      why: 'tokens and data would travel in clear text',
      suggestion: 'use https; HOOP_CA_FILE adds a certificate authority',
    });
  }
  return url.href.replace(/\/+$/, '');
}

function checkName(name: string): string {
  if (NAME.test(name)) return name;
  throw new HoopError('usage', 'the name of the profile is no name', {
    suggestion: 'use up to 64 letters, digits, dots, hyphens and underscores, a letter or digit first',
  });
}

function readProfiles(folder: string): ProfilesFile {
  const path = join(folder, 'profiles.json');
  const value = readJson(path);
  if (value === undefined) return { current: 'default', profiles: {} };
  if (!isRecord(value) || !hasOnly(value, ['current', 'profiles'])) throw notWhatItShould(path);
  const { current, profiles } = value;
  if (typeof current !== 'string' || !isRecord(profiles)) throw notWhatItShould(path);
  for (const entry of Object.values(profiles)) {
    if (!isRecord(entry) || !hasOnly(entry, ['agent']) || typeof entry['agent'] !== 'string')
      throw notWhatItShould(path);
  }
  return value as unknown as ProfilesFile;
}

function writeProfiles(folder: string, file: ProfilesFile): void {
  writePrivateFile(join(folder, 'profiles.json'), `${JSON.stringify(file, null, 2)}\n`);
}

function readPorts(folder: string): PortsFile {
  const path = join(folder, 'ports.json');
  const value = readJson(path) ?? {};
  const leaves = (record: unknown): unknown[] => (isRecord(record) ? Object.values(record) : [Number.NaN]);
  const ports = leaves(value).flatMap(leaves).flatMap(leaves);
  if (!ports.every((port) => Number.isInteger(port) && (port as number) > 0 && (port as number) < 65_536)) {
    throw notWhatItShould(path);
  }
  return value as PortsFile;
}

function readJson(path: string): unknown {
  const text = readPrivateFile(path);
  if (text === undefined) return undefined;
  try {
    return JSON.parse(text);
  } catch {
    throw notWhatItShould(path);
  }
}

function notWhatItShould(path: string): HoopError {
  return new HoopError('config_invalid', `${path} does not hold what hoop writes there`, {
    suggestion: `correct or remove ${path}`,
  });
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function hasOnly(record: Record<string, unknown>, keys: readonly string[]): boolean {
  return Object.keys(record).every((key) => keys.includes(key));
}

/** The record's own value: names like `constructor` are data here. */
function own<T>(record: Readonly<Record<string, T>> | undefined, key: string): T | undefined {
  return record !== undefined && Object.hasOwn(record, key) ? record[key] : undefined;
}

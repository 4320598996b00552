import type { Whoami } from '../agent-api.js';
import { givenToken } from '../given-token.js';
import type { Profile } from '../login/profile.js';
import { checkAgent, checkClock, checkToken } from './agent-checks.js';
import { asHoopError, type Check, type CheckId, failed, ok, skipped } from './check.js';
import { checkKeychain, checkPort } from './machine-checks.js';
import { checkDns, checkTcp, checkTls } from './network-checks.js';

export interface ExamineOptions {
  /** Throws where no agent is known. */
  readonly profile: () => Profile;
  readonly whoami: () => Promise<Whoami>;
  readonly version: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly nowMs: () => number;
  /** Called as each check ends, in order. */
  readonly onCheck: (check: Check) => void;
}

/** What waits for the hops before it; the others tell something in any case. */
const NEEDS_AGENT: readonly CheckId[] = ['dns', 'tcp', 'tls', 'agent', 'token', 'clock'];

/**
 * Checks each hop from this machine to the agent, in order. The first that fails ends the way to the agent; what is
 * this machine's own is checked all the same.
 */
export async function examine(options: ExamineOptions): Promise<readonly Check[]> {
  const checks: Check[] = [];
  const note = (check: Check): Check => {
    checks.push(check);
    options.onCheck(check);
    return check;
  };
  const configuration = note(configurationOf(options.profile));
  let broken = configuration.state === 'failed' ? configuration.id : undefined;
  for (const id of NEEDS_AGENT) {
    const check = broken === undefined ? await checkHop(id, options) : skipped(id, `not reached: ${broken} failed`);
    note(check);
    // A token that is refused says nothing of the clock, which may be why.
    if (check.state === 'failed' && id !== 'token') broken ??= id;
  }
  note(await checkKeychain(placeOf(options)));
  note(await checkPort());
  return checks;
}

/** The status of the first hop that failed; 0 where none did. */
export function exitStatusOf(checks: readonly Check[]): number {
  return checks.find(({ state }) => state === 'failed')?.exitStatus ?? 0;
}

function configurationOf(profile: () => Profile): Check {
  try {
    const { name, agentUrl } = profile();
    return ok('configuration', `profile ${name}, agent ${agentUrl}`);
  } catch (error) {
    return failed('configuration', asHoopError(error, 'failed', 'the configuration can not be read'));
  }
}

async function checkHop(id: CheckId, { profile, whoami, version, env, nowMs }: ExamineOptions): Promise<Check> {
  const { agentUrl } = profile();
  const caFile = env['HOOP_CA_FILE'];
  const way = { agent: new URL(agentUrl), env };
  switch (id) {
    case 'dns':
      return checkDns(way);
    case 'tcp':
      return checkTcp(way);
    case 'tls':
      return checkTls(way, { caFile, nowMs: nowMs() });
    case 'agent':
      return checkAgent({ agentUrl, caFile, version });
    case 'token':
      return checkToken(whoami, nowMs(), givenToken(env));
    default:
      return checkClock({ agentUrl, caFile });
  }
}

function placeOf({ profile, env }: ExamineOptions): { readonly env: ExamineOptions['env']; readonly folder: string } {
  try {
    return { env, folder: profile().login().folder };
  } catch {
    return { env, folder: 'the configuration folder' };
  }
}

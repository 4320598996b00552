import type { Whoami } from '../agent-api.js';
import type { GivenToken } from '../given-token.js';
import { HoopError } from '../../core/errors.js';
import { createHttpExchange } from '../../identity/http-exchange.js';
import { createFetch } from '../../identity/http-fetch.js';
import { fetchWellKnown } from '../../identity/well-known.js';
import { asHoopError, type Check, failed, ok, skipped, warning } from './check.js';

/** Tokens are compared with the agent's clock, give or take this much. */
const TOLERATED_SKEW_S = 60;
/** The agent tells whole seconds; more than these apart is no rounding. */
const NOTED_SKEW_S = 5;
/** A login that ends sooner than this, in seconds, is worth a word. */
const ENDING_S = 300;

export interface AgentQuestion {
  /** Without a slash at the end. */
  readonly agentUrl: string;
  readonly caFile: string | undefined;
  /** This program's version. */
  readonly version: string;
}

/** Is it an agent, of which version, and does it take work? */
export async function checkAgent({ agentUrl, caFile, version }: AgentQuestion): Promise<Check> {
  try {
    const agent = await fetchWellKnown(agentUrl, { caFile });
    const fetch = createFetch({ caFile });
    const ready = await fetch(`${agentUrl}/readyz`, { method: 'GET' });
    const said = await ready.text();
    const found = `hoop ${agent.version}, logins by ${agent.issuer}`;
    if (ready.status !== 200)
      return failed(
        'agent',
        new HoopError('unreachable', 'the agent is not ready', {
          why: `/readyz answers ${String(ready.status)}`,
          suggestion: 'wait a moment; if it stays so, its log says what is missing',
        }),
      );
    if (uploadsFail(said))
      return warning(
        'agent',
        `${found}; its recordings can not be copied to their bucket`,
        'tell whoever runs the agent: its log says why; until then recordings are kept in its folder alone',
      );
    if (agent.version === version) return ok('agent', found);
    return warning(
      'agent',
      `${found}; this is hoop ${version}`,
      'where something fails that should not, install the version of the agent',
    );
  } catch (error) {
    return failed('agent', asHoopError(error, 'unreachable', 'the agent does not answer'));
  }
}

/** @param said the answer of `/readyz` */
function uploadsFail(said: string): boolean {
  try {
    const { attention } = JSON.parse(said) as { readonly attention?: unknown };
    return Array.isArray(attention) && attention.includes('uploads');
  } catch {
    return false;
  }
}

/** Does the agent take the token, and for whom and how long? */
export async function checkToken(whoami: () => Promise<Whoami>, nowMs: number, given?: GivenToken): Promise<Check> {
  try {
    const who = await whoami();
    const leftS = Math.floor(who.expiresAt - nowMs / 1_000);
    const kind = who.machine === true ? 'a machine' : who.groups.length === 0 ? 'no groups' : who.groups.join(', ');
    const name = who.email === undefined || who.email === '' ? who.subject : who.email;
    const found = `${name} (${kind}), good for ${span(leftS)}`;
    if (leftS >= ENDING_S || who.machine === true) return ok('token', found);
    return warning('token', found, given?.renewal ?? 'commands refresh it; where they can not, run `hoop login`');
  } catch (error) {
    return failed('token', asHoopError(error, 'failed', 'the token could not be checked'));
  }
}

/** Do this machine and the agent agree on the time? What differs by more than a minute refuses good tokens. */
export async function checkClock({ agentUrl, caFile }: Pick<AgentQuestion, 'agentUrl' | 'caFile'>): Promise<Check> {
  try {
    const answer = await createHttpExchange({ caFile })(`${agentUrl}/healthz`, {});
    const nowMs = Date.now();
    answer.destroy();
    const agentMs = Date.parse(answer.headers.date ?? '');
    if (Number.isNaN(agentMs)) return skipped('clock', 'the agent does not say what time it is');
    return clockFindings(Math.round((nowMs - agentMs) / 1_000));
  } catch (error) {
    return failed('clock', asHoopError(error, 'unreachable', 'the agent does not answer'));
  }
}

/** @param aheadS this machine's clock before the agent's, in seconds */
export function clockFindings(aheadS: number): Check {
  const apart = Math.abs(aheadS);
  if (apart <= NOTED_SKEW_S) return ok('clock', 'agrees with the agent’s');
  const found = `${span(apart)} ${aheadS > 0 ? 'ahead of' : 'behind'} the agent’s`;
  const suggestion = 'set this machine’s clock by the network (NTP), or tell whoever runs the agent';
  return apart < TOLERATED_SKEW_S
    ? warning('clock', found, suggestion)
    : failed('clock', new HoopError('failed', found, { suggestion }));
}

function span(seconds: number): string {
  const minutes = Math.floor(seconds / 60);
  if (minutes < 1) return `${String(seconds)} s`;
  if (minutes < 60) return `${String(minutes)} min`;
  return `${String(Math.floor(minutes / 60))} h ${String(minutes % 60)} min`;
}

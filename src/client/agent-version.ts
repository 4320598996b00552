import { messageOf } from '../core/errors.js';
import { fetchWellKnown } from '../identity/well-known.js';

/** Longest wait for the agent's answer, in ms: this program's own version is what was asked for first. */
const TIMEOUT_MS = 3_000;

/** What the agent says of its version; `version` is null where it does not answer, and `error` says why. */
export interface AgentVersion {
  readonly url: string;
  readonly version: string | null;
  /** The agent's version against this program's; null where either is none that can be compared. */
  readonly is: 'the same' | 'older' | 'newer' | null;
  readonly error?: string;
}

/**
 * Asks the agent for its version, without a token. Never throws: an agent that is down is an answer too.
 *
 * @param url without a slash at the end
 * @param own this program's version
 */
export async function agentVersion(url: string, own: string, caFile: string | undefined): Promise<AgentVersion> {
  try {
    const { version } = await fetchWellKnown(url, { caFile, timeoutMs: TIMEOUT_MS });
    return { url, version, is: compare(version, own) };
  } catch (error) {
    return { url, version: null, is: null, error: messageOf(error) };
  }
}

/** By the numbers of semantic versions; what follows them (`-rc.1`) only tells equal from not equal. */
function compare(agent: string, own: string): AgentVersion['is'] {
  if (agent === own) return 'the same';
  const [theirs, ours] = [numbersOf(agent), numbersOf(own)];
  if (theirs === undefined || ours === undefined) return null;
  const first = theirs.findIndex((number, index) => number !== ours[index]);
  if (first === -1) return null;
  return (theirs[first] ?? 0) < (ours[first] ?? 0) ? 'older' : 'newer';
}

function numbersOf(version: string): readonly number[] | undefined {
  const found = /^(\d+)\.(\d+)\.(\d+)(?:[-+].*)?$/.exec(version);
  return found?.slice(1).map(Number);
}

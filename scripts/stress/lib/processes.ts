import { readdirSync } from 'node:fs';
import { memoryOf } from '../../bench/lib/hoop-processes.js';
import type { Way } from '../../conformance/lib/ways.js';

/** What the agent and `hoop connect` hold together. */
export interface Held {
  readonly descriptors: number;
  readonly agentMib: number;
  readonly connectMib: number;
}

const MIB = 2 ** 20;

export function held(way: Way): Held {
  const { agentPid, connectPid } = way.hoop ?? { agentPid: 0, connectPid: 0 };
  const descriptors = (pid: number): number => (pid === 0 ? 0 : readdirSync(`/proc/${String(pid)}/fd`).length);
  return {
    descriptors: descriptors(agentPid) + descriptors(connectPid),
    agentMib: Math.round((memoryOf(agentPid)?.now ?? 0) / MIB),
    connectMib: Math.round((memoryOf(connectPid)?.now ?? 0) / MIB),
  };
}

/** Runs `work` and gives the most that the two processes held meanwhile, looked at five times a second. */
export async function peakDuring(way: Way, work: () => Promise<void>): Promise<{ before: Held; most: Held }> {
  const before = held(way);
  let most = before;
  const look = (): void => {
    const now = held(way);
    most = {
      descriptors: Math.max(most.descriptors, now.descriptors),
      agentMib: Math.max(most.agentMib, now.agentMib),
      connectMib: Math.max(most.connectMib, now.connectMib),
    };
  };
  const timer = setInterval(look, 200);
  try {
    await work();
    look();
  } finally {
    clearInterval(timer);
  }
  return { before, most };
}

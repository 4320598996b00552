import type { Resources } from '../config/resources.js';

/**
 * Settings of the contract that these resources hold and this version does not carry out. They are
 * accepted, so that one set of files serves several versions, and said aloud at every start.
 */
export function notCarriedOut(resources: Resources): readonly string[] {
  const { connections } = resources;
  const found: string[] = [];
  for (const { name, access } of connections) {
    if (access.maxDurationMs !== undefined)
      found.push(`access.maxDuration of connection ${name}: there is no time-bound access yet`);
    if (access.approval !== undefined)
      found.push(`access.approval of connection ${name}: it can not be used until grants can be asked for`);
  }
  return found;
}

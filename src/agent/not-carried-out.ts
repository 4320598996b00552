import type { Resources } from '../config/resources.js';

/**
 * Settings of the contract that these resources hold and this version does not carry out. They are
 * accepted, so that one set of files serves several versions, and said aloud at every start.
 */
export function notCarriedOut(resources: Resources): readonly string[] {
  const { agent } = resources;
  const found: string[] = [];
  if (agent?.recordings.retentionMs !== undefined) found.push('recordings.retention: nothing is deleted');
  return found;
}

import { mkdirSync, readFileSync, renameSync, statSync, writeFileSync } from 'node:fs';
import { createHash } from 'node:crypto';
import { dirname, join } from 'node:path';
import type { ConnectionSummary } from '../../core/connection-summary.js';
import type { AgentApi } from '../agent-api.js';

/** A name pressed for a second time soon asks nobody. */
const FRESH_MS = 60_000;
/** Longest that a key press waits for the agent, in ms. */
const PATIENCE_MS = 1_500;

export interface NamesOptions {
  /** Folder of what may be lost. */
  readonly folder: string;
  /** Whose connections: profile and agent. */
  readonly owner: { readonly name: string; readonly agentUrl: string };
  readonly api: Pick<AgentApi, 'get'>;
  readonly nowMs: () => number;
}

type Named = Pick<ConnectionSummary, 'name' | 'type'>;

/**
 * Names of the connections that the caller may use, for completion: kept for a minute, and asked for where they are
 * older. An agent that does not answer in time leaves the old ones. Never throws, and never asks anybody to log in.
 */
export async function connectionNames(options: NamesOptions): Promise<readonly Named[]> {
  const { folder, owner, api, nowMs } = options;
  const hash = createHash('sha256').update(`${owner.name} ${owner.agentUrl}`).digest('hex').slice(0, 16);
  const file = join(folder, 'names', `${hash}.json`);
  const kept = read(file);
  if (kept !== undefined && nowMs() - kept.atMs < FRESH_MS) return kept.names;
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<undefined>((resolve) => {
    timer = setTimeout(resolve, PATIENCE_MS, undefined);
  });
  const asked = api.get<readonly ConnectionSummary[]>('/v1/connections').catch(() => undefined);
  const listed = await Promise.race([asked, late]);
  clearTimeout(timer);
  if (listed === undefined) return kept?.names ?? [];
  const names = listed.map(({ name, type }) => ({ name, type }));
  write(file, names);
  return names;
}

function read(file: string): { readonly atMs: number; readonly names: readonly Named[] } | undefined {
  try {
    const names = JSON.parse(readFileSync(file, 'utf8')) as unknown;
    if (!Array.isArray(names) || !names.every(isNamed)) return undefined;
    return { atMs: statSync(file).mtimeMs, names };
  } catch {
    return undefined;
  }
}

function write(file: string, names: readonly Named[]): void {
  try {
    mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
    const half = `${file}.${String(process.pid)}`;
    writeFileSync(half, JSON.stringify(names), { mode: 0o600 });
    renameSync(half, file);
  } catch {
    // Nothing can be kept: the next key press asks again.
  }
}

function isNamed(value: unknown): value is Named {
  return typeof value === 'object' && value !== null && 'name' in value && typeof value.name === 'string';
}

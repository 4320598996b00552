import { createWriteStream, existsSync } from 'node:fs';
import { mkdir, readdir, rename, rm } from 'node:fs/promises';
import { resolve } from 'node:path';
import { pipeline } from 'node:stream/promises';

import { HoopError } from '../core/errors.js';
import type { Reading } from '../core/reading.js';
import { readRecording } from '../recording/reading/read.js';
import { unpackBundle } from '../recording/proof/bundle.js';
import type { AgentApi } from './agent-api.js';

export interface ExportRequest {
  readonly agent: AgentApi;
  /** RFC 3339 UTC; `to` is not part of the span. */
  readonly from: string;
  readonly to: string;
  /** `….tar`, or a folder that is empty or not there; named after the span where left out. */
  readonly out?: string | undefined;
}

/**
 * Fetches the evidence of a span of time.
 *
 * @returns the archive or folder that was written
 * @throws HoopError `usage` where the place is taken, `verify_failed` where the answer broke off
 */
export async function exportEvidence({ agent, from, to, out }: ExportRequest): Promise<string> {
  const name = out ?? `hoop-evidence-${from.slice(0, 10)}--${to.slice(0, 10)}.tar`;
  const archive = /\.tar$/i.test(name);
  await assertFree(name, archive);
  const stream = await agent.stream(`/v1/audit/export?${new URLSearchParams({ from, to }).toString()}`);
  if (!archive) {
    await mkdir(name, { recursive: true, mode: 0o700 });
    await unpackBundle(stream, name);
    return resolve(name);
  }
  const part = `${name}.part`;
  try {
    await pipeline(stream, createWriteStream(part, { mode: 0o600, flags: 'wx' }));
    await assertWhole(part);
    await rename(part, name);
  } catch (error) {
    await rm(part, { force: true });
    if (error instanceof HoopError) throw error;
    throw new HoopError('unreachable', 'the agent broke off the export', { cause: error });
  }
  return resolve(name);
}

async function assertFree(name: string, archive: boolean): Promise<void> {
  if (!existsSync(name)) return;
  const entries = archive ? ['taken'] : await readdir(name).catch(() => ['taken']);
  if (entries.length > 0)
    throw new HoopError('usage', 'there is something at this place already', {
      suggestion: 'name another with --out, or remove it',
    });
}

/** An answer that was cut off ends without the two blocks of zeros. */
async function assertWhole(path: string): Promise<void> {
  let tail = Buffer.alloc(0);
  for await (const chunk of readRecording(path)) tail = Buffer.concat([tail, chunk]).subarray(-1024);
  if (tail.length < 1024 || tail.some((byte) => byte !== 0))
    throw new HoopError('unreachable', 'the agent broke off the export', { why: 'the archive has no end' });
}

/** Who read what, newest first; at most `limit`. */
export async function listReadings(
  agent: AgentApi,
  query: Readonly<Record<string, string | undefined>>,
  limit: number,
): Promise<readonly (Reading & { readonly id: string })[]> {
  const found: (Reading & { readonly id: string })[] = [];
  let cursor = '';
  do {
    const params = new URLSearchParams({ limit: String(Math.min(limit - found.length, 1000)) });
    for (const [name, value] of Object.entries(query)) if (value !== undefined) params.set(name, value);
    if (cursor !== '') params.set('cursor', cursor);
    const page = await agent.get<{ readonly items: typeof found; readonly next: string }>(
      `/v1/audit/readings?${params.toString()}`,
    );
    found.push(...page.items);
    cursor = page.next;
  } while (cursor !== '' && found.length < limit);
  return found;
}

import { request } from 'node:http';
import { readFileSync, writeFileSync } from 'node:fs';
import { Readable } from 'node:stream';
import { setTimeout as wait } from 'node:timers/promises';
import type { Place } from '../../../../test/support/model-programs/program.js';
import type { LoadGenerator } from './load-generator.js';
import type { ModelTarget } from './peers.js';
import { LONG_STREAM } from './workload.js';

const MEGABYTE = 1_000_000;

/** Present resident memory of a process and its peak since it was last set back, in MB. */
function memory(pid: number): { readonly now: number; readonly peak: number } {
  const status = readFileSync(`/proc/${String(pid)}/status`, 'utf8');
  const read = (name: string): number =>
    (Number(new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(status)?.[1]) * 1024) / MEGABYTE;
  return { now: read('VmRSS'), peak: read('VmHWM') };
}

/** Sets the peak back to what is held now. @see https://man7.org/linux/man-pages/man5/proc_pid_clear_refs.5.html */
function forgetPeak(pid: number): void {
  writeFileSync(`/proc/${String(pid)}/clear_refs`, '5');
}

/** Memory of the agent while so many streams run: when all have begun, and after so long. */
export async function streamMemory(
  load: LoadGenerator,
  target: ModelTarget,
  { pid, streams, seconds }: { readonly pid: number; readonly streams: number; readonly seconds: number },
): Promise<{ readonly before: number; readonly begun: number; readonly later: number }> {
  const before = memory(pid).now;
  await load.hold(target, LONG_STREAM, streams);
  await wait(2_000);
  const begun = memory(pid).now;
  await wait(seconds * 1000);
  const later = memory(pid).now;
  await load.release();
  return { before, begun, later };
}

/** How much the agent's memory grows at most while a body passes that nothing reads, in MB. */
export async function bodyGrowth(
  { url, apiKey }: Place,
  { pid, megabytes, way }: { readonly pid: number; readonly megabytes: number; readonly way: 'up' | 'down' },
): Promise<number> {
  const bytes = megabytes * MEGABYTE;
  forgetPeak(pid);
  const before = memory(pid).now;
  const passed =
    way === 'up'
      ? await upload(`${url}/plain/count`, apiKey, bytes)
      : await download(`${url}/plain/bytes/${String(bytes)}`, apiKey);
  if (passed !== bytes) throw new Error(`of ${String(bytes)} bytes ${String(passed)} passed`);
  return memory(pid).peak - before;
}

function upload(url: string, key: string, bytes: number): Promise<number> {
  const part = Buffer.alloc(MEGABYTE, 'hoop');
  const headers = {
    authorization: `Bearer ${key}`,
    'content-type': 'application/octet-stream',
    'content-length': bytes,
  };
  return new Promise((resolve, reject) => {
    const sending = request(url, { method: 'POST', headers }, (answer) => {
      let text = '';
      answer.setEncoding('utf8').on('data', (more: string) => (text += more));
      answer.on('end', () => resolve(Number(/"bytes":(\d+)/.exec(text)?.[1])));
    });
    sending.on('error', reject);
    Readable.from(Array.from({ length: bytes / MEGABYTE }, () => part)).pipe(sending);
  });
}

async function download(url: string, key: string): Promise<number> {
  const answer = await fetch(url, { headers: { authorization: `Bearer ${key}` } });
  let bytes = 0;
  for await (const part of answer.body ?? []) bytes += (part as Uint8Array).length;
  return bytes;
}

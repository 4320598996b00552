// What one short session costs to record: opened, six events, flushed before its request is forwarded, sealed, indexed
// and listed. Processor time, since wall time on a shared machine says little. `--rate 0` goes as fast as it can.
// On ext4 leave half a minute between runs: it steps over every inode that was freed in that time, and a run frees many.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { parseArgs } from 'node:util';
import { randomBytes } from 'node:crypto';
import { uuidv7 } from '../../src/core/ids.js';
import { generateRecordingKey, publicKeyOf } from '../../src/recording/keys.js';
import { openRecordings } from '../../src/recording/recordings.js';
import type { Recordings } from '../../src/recording/recordings.js';
import { verifyFolder } from '../../src/recording/proof/verify-folder.js';
import { openStore } from '../../src/store/store.js';
import { systemClock } from '../../src/agent/system-clock.js';

const { values } = parseArgs({
  options: {
    sessions: { type: 'string', default: '20000' },
    /** Sessions a second; 0: as fast as it goes. */
    rate: { type: 'string', default: '0' },
    /** Sessions open at the same time. */
    open: { type: 'string', default: '32' },
    durability: { type: 'string', default: 'flush' },
    dir: { type: 'string', default: tmpdir() },
    verify: { type: 'boolean', default: false },
  },
});

const prompt = 'Summarise the incident of last night for the customers, in three sentences, without names: ';
const facts = { provider: 'openai', model: 'gpt-4o-mini', stream: true, tools: [], maxTokens: 512 };

async function oneSession(recordings: Recordings, session: string, number: number): Promise<void> {
  const recorder = recordings.open(
    {
      type: 'session.start',
      session,
      user: {
        subject: 'svc-7',
        email: 'ann@example.com',
        groups: ['engineering'],
        issuer: 'https://id.example.com',
        machine: true,
        attributes: {},
      },
      connection: { name: 'openai', type: 'openai', labels: { env: 'prod' } },
      credential: 'openai-key',
      client: { application: 'OpenAI/JS 4.52.0', address: '127.0.0.1:50123' },
      correlationId: '4bf92f3577b34da6a3ce929d0e0e4736',
    },
    'at-flush',
  );
  const body = `{"model":"gpt-4o-mini","messages":[{"role":"user","content":"${prompt}${String(number)}"}],"stream":true}`;
  recorder.record({
    type: 'request',
    statement: 1,
    method: 'POST',
    path: '/v1/chat/completions',
    text: `${prompt}${String(number)}`,
    body,
    bodyBytes: body.length,
    contentType: 'application/json',
    endpoint: 'chat.completions',
    model: 'gpt-4o-mini',
    stream: true,
    facts,
  });
  recorder.record({ type: 'decision', statement: 1, action: 'allow', rules: [], policyHash: 'a'.repeat(64) });
  await recorder.flush();
  // The upstream answers in another turn.
  await new Promise((resolve) => setImmediate(resolve));
  const answer = 'The service was slow for forty minutes. Nothing was lost. We have added capacity.';
  recorder.record({
    type: 'result',
    statement: 1,
    status: 200,
    bytes: 1840,
    durationMs: 312.4,
    firstByteMs: 140.2,
    usage: { inputTokens: 31, outputTokens: 19 },
    costUsd: 0.000016,
  });
  recorder.record({
    type: 'output',
    statement: 1,
    body: `data: {"choices":[{"delta":{"content":"${answer}"}}]}\n\ndata: [DONE]\n\n`,
    bodyBytes: 1840,
    contentType: 'text/event-stream',
    text: [answer],
  });
  await recorder.seal({ type: 'session.end', reason: 'client', statements: 1, blocked: 0 });
}

const count = Number(values.sessions);
const rate = Number(values.rate);
// Ids are made ahead: they are the front's.
const ids = Array.from({ length: count }, (_, index) => uuidv7(Date.now() + index / 5, randomBytes(10)));
const dir = mkdtempSync(join(values.dir, 'hoop-recording-'));
const key = generateRecordingKey();
try {
  const store = openStore({ path: join(dir, 'hoop.db') });
  const recordings = openRecordings({
    dir: join(dir, 'recordings'),
    durability: values.durability === 'sync' ? 'sync' : 'flush',
    key,
    clock: systemClock(),
    index: store.recordingIndex,
    onFault: (fault) => {
      console.error('fault', fault.message);
    },
  });
  await recordings.recover();
  let next = 0;
  let peak = 0;
  const started = performance.now();
  const late = (): boolean => rate > 0 && next / rate > (performance.now() - started) / 1000;
  const lane = async (): Promise<void> => {
    while (next < count) {
      if (late()) await new Promise((resolve) => setTimeout(resolve, 1));
      else {
        next += 1;
        await oneSession(recordings, ids[next - 1] as string, next);
      }
    }
  };
  const watch = setInterval(() => {
    peak = Math.max(peak, process.memoryUsage.rss());
  }, 200);
  const delay = monitorEventLoopDelay({ resolution: 1 });
  delay.enable();
  const before = process.cpuUsage();
  await Promise.all(Array.from({ length: Number(values.open) }, lane));
  const atEnd = process.cpuUsage(before);
  const seconds = (performance.now() - started) / 1000;
  delay.disable();
  const closing = performance.now();
  await recordings.close();
  store.close();
  clearInterval(watch);
  const all = process.cpuUsage(before);
  const micros = (usage: NodeJS.CpuUsage): string =>
    `${((usage.user + usage.system) / count).toFixed(0)} µs (${(usage.user / count).toFixed(0)} of it in user space)`;
  console.log(`${String(count)} sessions in ${seconds.toFixed(1)} s: ${(count / seconds).toFixed(0)} a second`);
  console.log(`processor time a session: ${micros(atEnd)}; with what was left to the end ${micros(all)}`);
  const late99 = [0.5, 0.99, 1].map((part) => (delay.percentile(part * 100) / 1e6).toFixed(1));
  console.log(
    `turns of the loop, with a timer of 1 ms in each: p50 ${late99[0]!} ms, p99 ${late99[1]!} ms, longest ${late99[2]!} ms`,
  );
  console.log(`closing took ${(performance.now() - closing).toFixed(0)} ms, most memory ${(peak / 1e6).toFixed(0)} MB`);
  if (values.verify) {
    const from = process.cpuUsage();
    const clock = performance.now();
    const result = await verifyFolder(join(dir, 'recordings'), { keys: [publicKeyOf(key)] });
    const used = process.cpuUsage(from);
    console.log(
      `verified ${String(result.verified)} (${result.ok ? 'all hold' : (result.breaks[0]?.message ?? '')}) in ${((performance.now() - clock) / 1000).toFixed(1)} s, ${((used.user + used.system) / count).toFixed(0)} µs of processor time each, ${(process.memoryUsage.rss() / 1e6).toFixed(0)} MB`,
    );
  }
} finally {
  rmSync(dir, { recursive: true, force: true });
}

/**
 * An agent's recording half under many short sessions, as a process of its own, to be killed: several at a time, each
 * of one request. Says `N SESSION` on stdout when request N of that session was flushed, and nothing before.
 *
 * node --import tsx short-sessions-process.ts DIR DURABILITY KEY(base64 PKCS #8)
 */
import { randomBytes } from 'node:crypto';
import { writeSync } from 'node:fs';

import { uuidv7 } from '../../src/core/ids.js';
import { importRecordingKey } from '../../src/recording/keys.js';
import { openRecordings } from '../../src/recording/recordings.js';
import { END, RememberingIndex, request, start, steppingClock } from './recorded-session.js';

const [dir = '', durability = '', key = ''] = process.argv.slice(2);
const recordings = openRecordings({
  dir,
  durability: durability === 'sync' ? 'sync' : 'flush',
  key: importRecordingKey(Buffer.from(key, 'base64')),
  clock: steppingClock(),
  index: new RememberingIndex(),
  onFault: ({ code, message }) => writeSync(1, `fault ${code} ${message}\n`),
});
let number = 0;

async function lane(): Promise<void> {
  for (;;) {
    number += 1;
    const own = number;
    const session = uuidv7(Date.now(), randomBytes(10));
    const recorder = recordings.open(start(session), 'at-flush');
    const [asked, decided, ...answered] = request(`prompt ${String(own)}`);
    recorder.record(asked);
    recorder.record(decided);
    await recorder.flush();
    writeSync(1, `${String(own)} ${session}\n`);
    await new Promise((resolve) => setImmediate(resolve));
    for (const event of answered) recorder.record(event);
    await recorder.seal(END);
  }
}

await Promise.all([lane(), lane(), lane(), lane()]);

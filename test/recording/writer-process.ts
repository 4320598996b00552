/**
 * An agent's recording half as a process of its own, to be killed: records statements one after
 * another and says each number on stdout only when `flush` has returned for it.
 *
 * node --import tsx writer-process.ts DIR DURABILITY KEY(base64 PKCS #8) SESSION STATEMENTS
 */
import { writeSync } from 'node:fs';

import { HoopError } from '../../src/core/errors.js';
import { importRecordingKey } from '../../src/recording/keys.js';
import { openRecordings } from '../../src/recording/recordings.js';
import { END, RememberingIndex, start, statement, steppingClock } from './recorded-session.js';

/** Written at once, so that a kill right after can't take it back; a slow reader is waited for. */
function say(text: string): void {
  for (;;) {
    try {
      writeSync(1, text);
      return;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') throw error;
    }
  }
}

const [dir = '', durability = '', key = '', session = '', statements = ''] = process.argv.slice(2);
const recordings = openRecordings({
  dir,
  durability: durability === 'sync' ? 'sync' : 'flush',
  key: importRecordingKey(Buffer.from(key, 'base64')),
  clock: steppingClock(),
  index: new RememberingIndex(),
  onFault: ({ code, message }) => say(`fault ${code} ${message}\n`),
});
const recorder = recordings.open(start(session));
try {
  for (let number = 1; number <= Number(statements); number += 1) {
    const [asked, decided, result] = statement(number, `SELECT ${number} /* ${'x'.repeat(number % 900)} */`);
    if (asked !== undefined) recorder.record(asked);
    if (decided !== undefined) recorder.record(decided);
    await recorder.flush();
    say(`${number}\n`);
    if (result !== undefined) recorder.record(result);
  }
} catch (error) {
  say(`refused ${error instanceof HoopError ? error.code : 'by another error'}\n`);
}
try {
  await recorder.seal(END);
  say('sealed\n');
} catch (error) {
  say(`unsealed ${error instanceof HoopError ? error.code : 'by another error'}\n`);
}
await recordings.close();

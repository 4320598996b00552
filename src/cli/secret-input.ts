import { text } from 'node:stream/consumers';
import { HoopError } from '../core/errors.js';

/**
 * A secret's value from stdin, without one line ending; at a terminal it is asked for and not shown.
 *
 * @throws HoopError `usage` where nothing was given
 */
export async function readSecretInput(question: string): Promise<string> {
  const given = process.stdin.isTTY ? await ask(question) : (await text(process.stdin)).replace(/\r?\n$/, '');
  if (given === '')
    throw new HoopError('usage', 'no value was given', { suggestion: 'pipe it in, or type it when asked' });
  return given;
}

const CTRL_C = '\u0003';
const CTRL_D = '\u0004';
const ERASE = ['\u007f', '\b'];

/** The terminal does not echo in raw mode. */
function ask(question: string): Promise<string> {
  const { stdin, stderr } = process;
  stderr.write(question);
  stdin.setRawMode(true).setEncoding('utf8').resume();
  return new Promise((resolve) => {
    let typed: string[] = [];
    const finish = (settle: () => void): void => {
      stdin.off('data', onData).setRawMode(false).pause();
      stderr.write('\n');
      settle();
    };
    const onData = (chunk: string): void => {
      for (const key of chunk) {
        if (key === '\r' || key === '\n' || key === CTRL_D) return finish(() => resolve(typed.join('')));
        // Raw mode made a key of it; it ends the process as it does everywhere else.
        if (key === CTRL_C) return finish(() => process.kill(process.pid, 'SIGINT'));
        if (ERASE.includes(key)) typed = typed.slice(0, -1);
        else typed.push(key);
      }
    };
    stdin.on('data', onData);
  });
}

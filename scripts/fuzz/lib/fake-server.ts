import { loadModule, parseSync } from 'libpg-query';
import { complete, message, ready } from '../../../test/protocols/postgres/wire.js';

const ANSWERS: Readonly<Record<string, Buffer | undefined>> = {
  Q: Buffer.concat([complete('SELECT 0'), ready()]),
  P: message('1', ''),
  B: message('2', ''),
  C: message('3', ''),
  D: message('n', ''),
  E: complete('SELECT 0'),
  S: ready(),
};
/** All that a client may send to a server once it is logged in. */
const KNOWN = 'QPBCDEFHSXdcf';

await loadModule();

/** Would the server itself drop something? Its own grammar says so, apart from hoop's reading of it. */
export function drops(text: string): boolean {
  try {
    return JSON.stringify(parseSync(text)).includes('"DropStmt"');
  } catch {
    // The server refuses what its grammar refuses.
    return false;
  }
}

/** Reads what goes up as a server would, keeps what is prepared and bound, and answers in the plainest way. */
export class FakeServer {
  #held = Buffer.alloc(0);
  readonly #statements = new Map<string, string>();
  readonly #portals = new Map<string, string>();
  /** Texts that were run. */
  readonly ran: string[] = [];

  /** @returns the answer; throws where the bytes are not what a server could read */
  receive(bytes: Uint8Array): Buffer {
    this.#held = Buffer.concat([this.#held, bytes]);
    const answers: Buffer[] = [];
    while (this.#held.length >= 5) {
      const type = String.fromCharCode(this.#held[0] ?? 0);
      const length = this.#held.readUInt32BE(1);
      if (!KNOWN.includes(type) || length < 4)
        throw new Error(`unreadable bytes went up: type ${type}, length ${String(length)}`);
      if (this.#held.length < length + 1) break;
      this.#take(type, this.#held.subarray(5, length + 1));
      this.#held = this.#held.subarray(length + 1);
      answers.push(ANSWERS[type] ?? Buffer.alloc(0));
    }
    return Buffer.concat(answers);
  }

  #take(type: string, body: Buffer): void {
    const [first = '', second = ''] = body.toString('latin1').split('\0', 2);
    if (type === 'Q') this.ran.push(first);
    else if (type === 'P') this.#statements.set(first, second);
    else if (type === 'B') this.#portals.set(first, this.#statements.get(second) ?? '');
    else if (type === 'E') this.ran.push(this.#portals.get(first) ?? '');
  }
}

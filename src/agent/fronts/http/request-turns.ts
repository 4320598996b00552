import type { IncomingMessage } from 'node:http';

/** RFC 9110 section 9.2.1. */
const SAFE = new Set(['GET', 'HEAD', 'OPTIONS', 'TRACE']);

/** Anything that is over once: an answer, or the socket of an upgrade. */
interface Ending {
  once(event: 'close', listener: () => void): unknown;
}

/** One request of a connection among those that have not been answered. */
export interface Turn {
  /**
   * True once nothing before it keeps it, at once where nothing does; false where the connection is over: then it must not go
   * up any more.
   */
  come(): Promise<boolean> | true;
}

interface Open {
  readonly unsafe: boolean;
  wake: ((may: boolean) => void) | undefined;
}

/**
 * Requests that are sent before those ahead of them on the same connection have been answered: side by side where all are
 * safe, else one after the other, since the second may rest on what the first does.
 *
 * @see https://www.rfc-editor.org/rfc/rfc9112#section-9.3.2
 */
export class RequestTurns {
  readonly #open = new WeakMap<object, Open[]>();

  /**
   * Call it in the order in which requests came.
   *
   * @param ending of the answer: what comes behind it may go up then
   * @param alone nothing may stand beside it, as beside an upgrade, which takes the connection over
   */
  enter({ socket, method = '' }: Pick<IncomingMessage, 'socket' | 'method'>, ending: Ending, alone = false): Turn {
    let line = this.#open.get(socket);
    if (line === undefined) this.#open.set(socket, (line = []));
    const open: Open = { unsafe: alone || !SAFE.has(method), wake: undefined };
    const all = line;
    all.push(open);
    ending.once('close', () => {
      all.splice(all.indexOf(open), 1);
      const over = socket.destroyed || socket.writableEnded;
      woken(open, false);
      for (const [at, other] of [...all.entries()]) if (over || !waits(all, at)) woken(other, !over);
    });
    return {
      come: () => {
        if (socket.destroyed || socket.writableEnded) return Promise.resolve(false);
        if (!waits(all, all.indexOf(open))) return true;
        return new Promise((resolve) => (open.wake = resolve));
      },
    };
  }
}

function waits(line: readonly Open[], at: number): boolean {
  const before = line.slice(0, Math.max(at, 0));
  return before.length > 0 && (line[at]?.unsafe === true || before.some(({ unsafe }) => unsafe));
}

function woken(open: Open, may: boolean): void {
  const { wake } = open;
  open.wake = undefined;
  wake?.(may);
}

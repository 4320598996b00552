/** What a test asks of one answer besides its words: how it is cut, how fast it comes, how it goes wrong. */
export interface Steering {
  /** Characters of text or of tool arguments in one event. */
  readonly fragmentChars: number;
  /** Bytes of one write; 0: an event, or the whole of a JSON body. */
  readonly chunkBytes: number;
  readonly delayMs: number;
  /** Before anything is answered. */
  readonly firstMs: number;
  readonly crlf: boolean;
  /** Used where the request accepts it. */
  readonly encoding: '' | Encoding;
  /** Answered with this status and an error of the dialect; 0: no. */
  readonly status: number;
  readonly fault: '' | Fault;
  /** Number of the event before which the answer waits for `release()`; -1: none. */
  readonly gate: number;
  /** Characters that the text is repeated to; 0: as it is. */
  readonly textChars: number;
}

const ENCODINGS = ['gzip', 'br', 'deflate'] as const;
export type Encoding = (typeof ENCODINGS)[number];

/**
 * How an answer goes wrong.
 *
 * - `cut`: the connection ends in the middle of an event or a body; `reset`: at once, without an answer
 * - `hang`: nothing is ever answered; `endless`: a stream's text never ends
 * - `malformed`: an event or a body that is no JSON; `wrong-type`: an answer that says it is HTML
 * - `lying-encoding`: says gzip and is not; `unasked-encoding`: gzip that nobody accepted
 * - `unknown-encoding`: an encoding that nobody knows; `redirect`: 302 to another host
 * - `error-event`: a stream that ends in the dialect's error; `no-end`: a stream without its last event
 */
const FAULTS = [
  'cut',
  'reset',
  'hang',
  'endless',
  'malformed',
  'wrong-type',
  'lying-encoding',
  'unasked-encoding',
  'unknown-encoding',
  'redirect',
  'error-event',
  'no-end',
] as const;
export type Fault = (typeof FAULTS)[number];

/**
 * Reads `NAME;fragment=3;fault=cut`, the model of a request: every SDK passes it on as it is, and it is no part of the
 * prompt.
 *
 * @throws Error where a word is not known: a misspelt fault would be a test that proves nothing
 */
export function steeringOf(model: string): Steering {
  const given = new Map<string, string>();
  for (const word of model.split(';').slice(1)) {
    const [name = '', value = ''] = word.split('=');
    given.set(name, value);
  }
  const number = (name: string, otherwise: number): number => {
    const value = given.get(name);
    given.delete(name);
    if (value === undefined) return otherwise;
    if (!/^\d{1,9}$/.test(value)) throw new Error(`steering: ${name} wants a number`);
    return Number(value);
  };
  const word = <T extends string>(name: string, known: readonly T[]): T | '' => {
    const value = given.get(name);
    given.delete(name);
    if (value === undefined) return '';
    const found = known.find((each) => each === value);
    if (found === undefined) throw new Error(`steering: ${name} is one of ${known.join(', ')}`);
    return found;
  };
  const steering: Steering = {
    fragmentChars: Math.max(1, number('fragment', 4)),
    chunkBytes: number('chunk', 0),
    delayMs: number('delay', 0),
    firstMs: number('first', 0),
    crlf: number('crlf', 0) === 1,
    encoding: word('encoding', ENCODINGS),
    status: number('status', 0),
    fault: word('fault', FAULTS),
    gate: number('gate', -1),
    textChars: number('chars', 0),
  };
  for (const name of given.keys()) throw new Error(`steering: ${name} is not known`);
  return steering;
}

import { parseArgs } from 'node:util';
import { Random } from './random.js';

/** One input: everything that happens to one session. Throws, with what went wrong, when a promise does not hold. */
export type Fuzz = (random: Random) => void;

/** Longest time that one input may take: each is at most some KiB. */
const SLOW_MS = 2_000;

/** Runs one input; the error of a failure names the seed that repeats it. */
export function runOne(fuzz: Fuzz, seed: number): void {
  const started = performance.now();
  try {
    fuzz(new Random(seed));
  } catch (error) {
    throw new Error(`seed ${String(seed)}: ${error instanceof Error ? error.message : String(error)}`, {
      cause: error,
    });
  }
  const tookMs = performance.now() - started;
  if (tookMs > SLOW_MS) throw new Error(`seed ${String(seed)}: took ${tookMs.toFixed(0)} ms`);
}

/** `--seconds N` from a random seed on, or `--seed N` for that one. Exits 1 at the first failure. */
export function main(fuzz: Fuzz): void {
  const { values } = parseArgs({ options: { seconds: { type: 'string', default: '30' }, seed: { type: 'string' } } });
  if (values.seed !== undefined) {
    runOne(fuzz, Number(values.seed));
    console.log('1 input, nothing found');
    return;
  }
  const ends = performance.now() + Number(values.seconds) * 1000;
  const first = Math.floor(Math.random() * 2 ** 31);
  let count = 0;
  for (; performance.now() < ends; count += 1) runOne(fuzz, first + count);
  console.log(`${String(count)} inputs, nothing found; seeds from ${String(first)}`);
}

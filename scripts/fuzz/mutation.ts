/** What both fuzzers need: numbers that a seed gives again, and ways to spoil bytes. */
export class Dice {
  #state: number;

  constructor(seed: number) {
    this.#state = seed >>> 0;
  }

  /** A whole number from 0 to below `limit` (xorshift over a Weyl sequence). */
  below(limit: number): number {
    this.#state = (this.#state + 0x9e3779b9) >>> 0;
    let value = this.#state;
    value = Math.imul(value ^ (value >>> 16), 0x85ebca6b);
    value = Math.imul(value ^ (value >>> 13), 0xc2b2ae35);
    return ((value ^ (value >>> 16)) >>> 0) % limit;
  }

  chance(percent: number): boolean {
    return this.below(100) < percent;
  }

  pick<T>(items: readonly T[]): T {
    return items[this.below(items.length)] as T;
  }
}

/** Flips, inserts, takes out, doubles or cuts off bytes at one place. */
export function mutated(bytes: Buffer, dice: Dice): Buffer {
  const at = dice.below(bytes.length + 1);
  const to = Math.min(bytes.length, at + 1 + dice.below(8));
  switch (dice.below(6)) {
    case 0: {
      const copy = Buffer.from(bytes);
      if (at < copy.length) copy[at] = (copy[at] as number) ^ (1 << dice.below(8));
      return copy;
    }
    case 1:
      return Buffer.concat([
        bytes.subarray(0, at),
        Buffer.from([dice.pick([0, 1, 0x22, 0x27, 0x3b, 0x44, 0x51, 0x5c, 0x7f, 0x80, 0xff])]),
        bytes.subarray(at),
      ]);
    case 2:
      return Buffer.concat([bytes.subarray(0, at), bytes.subarray(to)]);
    case 3:
      return Buffer.concat([bytes.subarray(0, to), bytes.subarray(at)]);
    case 4:
      return bytes.subarray(0, at);
    default: {
      const copy = Buffer.from(bytes);
      if (at < copy.length) copy[at] = dice.below(256);
      return copy;
    }
  }
}

/** The bytes in pieces of random sizes, up to `largest` bytes. */
export function pieces(bytes: Buffer, dice: Dice, largest = 200): Buffer[] {
  const parts: Buffer[] = [];
  for (let at = 0; at < bytes.length;) {
    const size = 1 + dice.below(dice.chance(20) ? 3 : largest);
    parts.push(bytes.subarray(at, at + size));
    at += size;
  }
  return parts;
}

export interface FuzzReport {
  readonly runs: number;
  /** The seed of the run that broke a promise, and which. */
  readonly failure?: { readonly seed: number; readonly why: string };
}

/** Runs until the time is up or a promise is broken; each run has a seed of its own, so that it can be had again alone. */
export function fuzz(
  run: (seed: number) => void,
  { seconds, seed }: { readonly seconds: number; readonly seed: number },
): FuzzReport {
  const until = performance.now() + seconds * 1000;
  let runs = 0;
  do {
    const one = (seed + runs) >>> 0;
    runs += 1;
    try {
      run(one);
    } catch (error) {
      return { runs, failure: failureOf(one, error) };
    }
  } while (performance.now() < until);
  return { runs };
}

/** As `fuzz`, of runs that wait for something: one after the other. */
export async function fuzzInTurn(
  run: (seed: number) => Promise<void>,
  { seconds, seed }: { readonly seconds: number; readonly seed: number },
): Promise<FuzzReport> {
  const until = performance.now() + seconds * 1000;
  let runs = 0;
  do {
    const one = (seed + runs) >>> 0;
    runs += 1;
    try {
      await run(one);
    } catch (error) {
      return { runs, failure: failureOf(one, error) };
    }
  } while (performance.now() < until);
  return { runs };
}

function failureOf(seed: number, error: unknown): NonNullable<FuzzReport['failure']> {
  return { seed, why: error instanceof Error ? (error.stack ?? error.message) : String(error) };
}

/** `--seconds N --seed S` of the command line. */
export function seedAndSeconds(): { readonly seconds: number; readonly seed: number } {
  const option = (name: string, byDefault: number): number => {
    const at = process.argv.indexOf(`--${name}`);
    return at === -1 ? byDefault : Number(process.argv[at + 1]);
  };
  return { seconds: option('seconds', 60), seed: option('seed', 1) };
}

/** Prints it, and exits 1 where a promise was broken. */
export function tellReport(report: FuzzReport): void {
  console.log(`${String(report.runs)} conversations`);
  if (report.failure === undefined) return;
  console.error(`seed ${String(report.failure.seed)}: ${report.failure.why}`);
  process.exitCode = 1;
}

/** `--seconds N --seed S`; prints the report, and exits 1 where a promise was broken. */
export function fuzzFromCommandLine(run: (seed: number) => void): void {
  tellReport(fuzz(run, seedAndSeconds()));
}

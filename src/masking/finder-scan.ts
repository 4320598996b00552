import type { Finding } from './clusters.js';
import type { CustomFinder } from './entities/custom.js';

/** Looks a text in parts over for one custom kind. */
export class FinderScan {
  hold = 0;
  /** Everything from the finding on that was one too many. */
  rest: Finding | undefined;

  constructor(
    private readonly finder: CustomFinder,
    private readonly target: number,
  ) {}

  look(bytes: Uint8Array, end: number, over: boolean, found: Finding[]): void {
    if (over) this.finder.findAll(bytes, 0, end, (from, to) => found.push({ from, to, target: this.target }));
  }

  shift(by: number): void {
    this.hold -= by;
  }
}

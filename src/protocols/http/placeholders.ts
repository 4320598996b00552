import type { MaskRule } from '../../core/mask.js';
import type { Originals } from '../../masking/streams/stream-masker.js';

const PLACEHOLDER = /\[[A-Za-z0-9._-]+_\d+\]/g;

/** What stands in one request for its values, so that they can be put back into the answer. */
export class Placeholders {
  readonly #originals = new Map<string, string>();
  readonly #byValue = new Map<string, string>();
  readonly #counts = new Map<string, number>();
  readonly #taken: ReadonlySet<string>;

  /** @param text of the whole request: what looks like a placeholder in it stands for nothing, and must stay that way */
  constructor(text: string) {
    this.#taken = new Set(text.match(PLACEHOLDER) ?? []);
  }

  get originals(): Originals {
    return this.#originals;
  }

  /**
   * @param masked what the rule leaves: under `hash` a pseudonym, which stands for one value alone
   * @returns the same for the same value of the same kind
   */
  of(found: string, entity: string, rule: MaskRule, masked: string): string {
    const key = `${entity} ${found}`;
    const known = this.#byValue.get(key);
    if (known !== undefined) return known;
    const placeholder = rule.strategy === 'hash' ? masked : this.#next(entity);
    this.#byValue.set(key, placeholder);
    // A number's pseudonym may be another value that stands in the request too: that one must not become this.
    if (!this.#originals.has(placeholder)) this.#originals.set(placeholder, found);
    return placeholder;
  }

  #next(entity: string): string {
    for (;;) {
      const count = (this.#counts.get(entity) ?? 0) + 1;
      this.#counts.set(entity, count);
      const placeholder = `[${entity}_${String(count)}]`;
      if (!this.#taken.has(placeholder)) return placeholder;
    }
  }
}

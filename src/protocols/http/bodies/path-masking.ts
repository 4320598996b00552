import { isFault, type Fault } from '../../../core/errors.js';
import { AT_ROOT, leadsHere, stepInto, type JsonPathPattern, type PathProgress } from '../../../core/json-path.js';
import { parseJsonTree, type JsonNode } from '../../../core/json-tree.js';
import type { KeyedHash, MaskCounts, MaskRule } from '../../../core/mask.js';
import { strengthOf } from '../../../masking/mask-set.js';
import { maskWhole } from '../../../masking/strategies/whole-value.js';

export interface PathMaskOptions {
  /** Only those that apply; rules without paths mean nothing here. */
  readonly rules: readonly MaskRule[];
  readonly hash: KeyedHash;
  /** One more for each place masked, by `policy/mask`. */
  readonly counts: MaskCounts;
  /** Of a request: what stands in the place of a value under a reversible mask, and that value. */
  readonly originals?: Map<string, string>;
}

/** What stands in the place of a value of which nothing is shown. */
const MASKED = 'masked';

/**
 * Masks the values at the rules' paths in one JSON text; everything else stays as it was, byte for byte. Text is
 * masked by the strategy; a number or a truth value becomes `null`, whatever the strategy; of a map or list nothing
 * is shown. `null` stays.
 *
 * @returns undefined where nothing is masked; a fault `protocol` for what is no JSON
 */
export function maskPaths(text: string, options: PathMaskOptions): string | undefined | Fault {
  const tree = parseJsonTree(text);
  if (isFault(tree)) return tree;
  const walk = new PathWalk(text, options);
  walk.visit(tree, walk.root);
  return walk.result();
}

interface Followed {
  readonly rule: MaskRule;
  readonly pattern: JsonPathPattern;
}

/** Where the walk stands in each pattern that still may lead somewhere, in the order of `#followed`. */
type Standing = readonly PathProgress[];

class PathWalk {
  readonly root: Standing;
  /** Strongest first: the first that leads to a value decides. */
  readonly #followed: readonly Followed[];
  readonly #parts: string[] = [];
  /** Up to here the text is copied. */
  #copied = 0;

  constructor(
    private readonly text: string,
    private readonly options: PathMaskOptions,
  ) {
    this.#followed = options.rules
      .flatMap((rule) => (rule.paths ?? []).map((pattern) => ({ rule, pattern })))
      .sort((left, right) => strengthOf(left.rule.strategy) - strengthOf(right.rule.strategy));
    this.root = this.#followed.map(() => AT_ROOT);
  }

  visit(node: JsonNode, standing: Standing): void {
    if (node.kind === 'object') for (const { name, value } of node.members) this.#enter(value, standing, name);
    if (node.kind === 'array') node.items.forEach((item, index) => this.#enter(item, standing, index));
  }

  result(): string | undefined {
    if (this.#copied === 0) return undefined;
    return this.#parts.join('') + this.text.slice(this.#copied);
  }

  #enter(node: JsonNode, standing: Standing, into: string | number): void {
    let open = false;
    const inside = this.#followed.map(({ pattern }, index) => {
      const before = standing[index] ?? 0;
      const progress = before === 0 ? 0 : stepInto(pattern, before, into);
      open ||= progress !== 0;
      return progress;
    });
    if (!open) return;
    const found = this.#followed.find(({ pattern }, index) => leadsHere(pattern, inside[index] ?? 0));
    if (found === undefined) this.visit(node, inside);
    else this.#replace(node, found.rule);
  }

  #replace(node: JsonNode, rule: MaskRule): void {
    if (node.kind === 'literal' && node.value === null) return;
    this.#parts.push(this.text.slice(this.#copied, node.from), this.#replacement(node, rule));
    this.#copied = node.to;
    const { counts } = this.options;
    counts.set(rule.name, (counts.get(rule.name) ?? 0) + 1);
  }

  #replacement(node: JsonNode, rule: MaskRule): string {
    if (rule.strategy === 'null' || node.kind === 'number' || node.kind === 'literal') return 'null';
    if (node.kind === 'string') return JSON.stringify(this.#maskedText(node.value, rule));
    return JSON.stringify(rule.strategy === 'replace' ? rule.with : `[${MASKED}]`);
  }

  #maskedText(value: string, rule: MaskRule): string {
    const { hash, originals } = this.options;
    const bytes = maskWhole(rule, new TextEncoder().encode(value), MASKED, hash);
    const masked = new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes ?? new Uint8Array());
    if (rule.reversible === true) originals?.set(masked, value);
    return masked;
  }
}

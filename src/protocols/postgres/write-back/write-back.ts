import { decodeUtf8 } from '../../../core/bytes.js';
import type { MaskRule, Strategy } from '../../../core/mask.js';
import { holdsShown, isShown } from '../../../masking/strategies/shown-value.js';
import type { SqlFacts } from '../../../policy/types.js';
import { parseSql } from '../facts/grammar.js';
import { literalIn } from '../facts/tree.js';
import { readArrayText } from '../values/array-text.js';
import type { Run } from '../statements/run.js';
import { executeArguments, writtenValues, type WrittenValue } from './written-values.js';

/** A statement would put what a mask shows in the place of a real value. */
export interface WriteBack {
  /** `policy/mask` of the rule that masks the column. */
  readonly rule: string;
  readonly message: string;
  readonly hint: string;
}

/** Effects of statements that change rows which stand already. */
const CHANGING = new Set(['update', 'merge', 'insert', 'execute']);
/** Without one of its signs nothing in a text is what such a mask shows. */
const SIGNS: Readonly<Record<Strategy, RegExp>> = {
  null: /\bnull\b/i,
  redact: /\[/,
  replace: /(?:)/,
  partial: /[*[]/,
  hash: /@masked\.invalid|_[0-9a-f]{16}|_r[a-z2-7]{16}|9\d\d[ -]?[0-4]|90[ -]?\d/,
};
/** Larger texts are not looked at here: to parse them holds up every other session. */
const MAX_TEXT_CHARS = 64 * 1024;
const MAX_VALUE_BYTES = 64 * 1024;

interface Read {
  readonly written: readonly WrittenValue[];
  readonly executed: readonly (readonly unknown[])[];
}

const NOTHING: Read = { written: [], executed: [] };

/** Keeps masked values from being stored over the values that they stand for. */
export class WriteBackGuard {
  readonly #rules: readonly MaskRule[];
  readonly #signs: readonly RegExp[];
  readonly #nulls: boolean;
  readonly #read = new WeakMap<SqlFacts, Read>();

  /** @param rules all masks of the session */
  constructor(rules: readonly MaskRule[]) {
    this.#rules = rules.filter(({ observed, on, writeBack }) => !observed && on.answers && writeBack !== 'allow');
    this.#signs = [...new Set(this.#rules.map(({ strategy }) => SIGNS[strategy]))];
    this.#nulls = this.#rules.some(({ strategy, columns }) => strategy === 'null' && columns.length > 0);
  }

  /**
   * Why a statement may not run; undefined where it writes nothing that these masks show.
   *
   * @param params the values of its parameters, where they are not bound to the run
   */
  refusal(run: Run, params?: readonly Said[]): WriteBack | undefined {
    if (this.#rules.length === 0 || !run.facts.effects.some((effect) => CHANGING.has(effect))) return undefined;
    const bound = params ?? (run.bound?.sent.values ?? []).map(textOf);
    if (!this.#maySay(run.text) && !bound.some((text) => this.#maySay(text))) return undefined;
    const { written, executed } = this.#readOnce(run);
    const prepared = (run.executes ?? []).flatMap((text) => read(text).written);
    return (
      this.#meeting(written, (number) => withElements(bound[number - 1])) ??
      this.#meeting(prepared, (number) => executed.flatMap((given) => withElements(literalText(given[number - 1]))))
    );
  }

  /** @param text of the statement or of one value */
  #maySay(text: Said): boolean {
    if (text === null) return this.#nulls;
    return text !== undefined && this.#signs.some((sign) => sign.test(text));
  }

  #readOnce(run: Run): Read {
    const known = this.#read.get(run.basis) ?? read(run.text);
    this.#read.set(run.basis, known);
    return known;
  }

  #meeting(written: readonly WrittenValue[], valuesOf: ValuesOf): WriteBack | undefined {
    for (const one of written) {
      const { value } = one;
      const texts =
        value.kind === 'parameter' ? valuesOf(value.number) : withElements(value.kind === 'null' ? null : value.text);
      const rule =
        this.#rules.find((of) => masks(of, one) && texts.some((text) => showsOfColumn(of, text))) ??
        this.#rules.find((of) => texts.some((text) => typeof text === 'string' && holdsShown(of, text)));
      if (rule !== undefined) return refusalOf(rule, one);
    }
    return undefined;
  }
}

/** A value as text; null for NULL, undefined where nobody knows. */
type Said = string | null | undefined;

/** What a parameter may stand for. */
type ValuesOf = (number: number) => readonly Said[];

function read(text: string): Read {
  const parsed = text.length > MAX_TEXT_CHARS ? undefined : parseSql(text);
  if (parsed?.kind !== 'tree') return NOTHING;
  return { written: writtenValues(parsed.tree), executed: executeArguments(parsed.tree) };
}

/** By names alone; a schema that the statement does not name may be any. */
function masks({ columns }: MaskRule, { schema, table, column }: WrittenValue): boolean {
  return columns.some(
    (pattern) =>
      meets(pattern.column, column) && meets(pattern.table, table) && (schema === '' || meets(pattern.schema, schema)),
  );
}

function showsOfColumn(rule: MaskRule, text: Said): boolean {
  return text === null ? rule.strategy === 'null' : text !== undefined && isShown(rule, text);
}

function meets(pattern: string, name: string): boolean {
  return pattern === '*' || pattern === name;
}

/** Text is the same in either format. */
function textOf(value: Uint8Array | null | undefined): Said {
  if (value === null || value === undefined) return value;
  return value.length > MAX_VALUE_BYTES ? undefined : decodeUtf8(value);
}

/** The text, and of an array in text form its elements. */
function withElements(text: Said): readonly Said[] {
  const array = text?.startsWith('{') === true ? readArrayText(new TextEncoder().encode(text)) : undefined;
  return array === undefined ? [text] : [text, ...array.leaves.map(({ value }) => decodeUtf8(value))];
}

function literalText(value: unknown): Said {
  const literal = literalIn(value)?.value;
  return typeof literal === 'string' || literal === null ? literal : undefined;
}

function refusalOf({ name }: MaskRule, { table, column }: WrittenValue): WriteBack {
  const [policy = '', mask = ''] = name.split('/');
  return {
    rule: name,
    message: `the value for ${table}.${column} is what mask ${mask} shows: it would be stored in the place of the real one`,
    hint: `Write the columns that changed and leave masked ones out; else run it as a group that the mask ${mask} names in exceptGroups, or let policy ${policy} say writeBack: allow.`,
  };
}

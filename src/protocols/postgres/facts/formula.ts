/**
 * Truth as PostgreSQL reckons it: 1 true, 0 false, 0.5 unknown; AND is the least, OR the greatest,
 * NOT what is left to 1 (Kleene's logic).
 */
export type Truth = 0 | 0.5 | 1;

/** What decides an atom: columns of the statement's rows, values given from outside, or constants not reckoned here. */
export type AtomKind = 'rows' | 'given' | 'constant';

export type Formula =
  | { readonly op: 'truth'; readonly value: Truth }
  | { readonly op: 'atom'; readonly key: string; readonly kind: AtomKind }
  | { readonly op: 'not'; readonly arg: Formula }
  | { readonly op: 'and' | 'or'; readonly args: readonly Formula[] }
  /** CASE: `then` where `when` is true. */
  | { readonly op: 'choose'; readonly when: Formula; readonly then: Formula; readonly otherwise: Formula }
  /** `arg IS [NOT] value`: never unknown. */
  | { readonly op: 'is'; readonly value: Truth; readonly arg: Formula };

/** More atoms than this are not tried one against the other: 2^10 assignments. */
const MAX_ATOMS = 10;
/** Parts evaluated over all assignments. */
const MAX_EVALUATIONS = 2_000_000;

/**
 * Does a predicate leave every row in? True where its outcome is the same whatever the columns hold,
 * for some outcome of the constants that can't be reckoned. One that leaves every row out restricts.
 */
export function restrictsNothing(formula: Formula): boolean {
  if (formula.op === 'and') return formula.args.every(restrictsNothing);
  const atoms = new Map<string, AtomKind>();
  const parts = collect(formula, atoms);
  if (![...atoms.values()].includes('rows')) return true;
  // One column condition alone, the usual case.
  if (formula.op === 'atom') return false;
  const few = atoms.size <= MAX_ATOMS && parts * 2 ** atoms.size <= MAX_EVALUATIONS;
  return few ? independentOfRows(formula, atoms) : looksComplete(formula);
}

/** Gathers the atoms and counts the parts. */
function collect(formula: Formula, atoms: Map<string, AtomKind>): number {
  if (formula.op === 'atom') atoms.set(formula.key, formula.kind);
  return partsOf(formula).reduce((count, part) => count + collect(part, atoms), 1);
}

function partsOf(formula: Formula): readonly Formula[] {
  switch (formula.op) {
    case 'truth':
    case 'atom':
      return [];
    case 'not':
    case 'is':
      return [formula.arg];
    case 'choose':
      return [formula.when, formula.then, formula.otherwise];
    default:
      return formula.args;
  }
}

function independentOfRows(formula: Formula, atoms: ReadonlyMap<string, AtomKind>): boolean {
  const keys = (kind: AtomKind): string[] => [...atoms].filter(([, of]) => of === kind).map(([key]) => key);
  const rows = keys('rows');
  const given = keys('given');
  const constant = keys('constant');
  const values = new Map<string, Truth>();
  for (const _ of assignments(constant, values)) {
    let everPasses = false;
    let depends = false;
    for (const __ of assignments(given, values)) {
      let first: boolean | undefined;
      for (const ___ of assignments(rows, values)) {
        const passes = evaluate(formula, values) === 1;
        first ??= passes;
        depends ||= passes !== first;
        everPasses ||= passes;
      }
    }
    if (everPasses && !depends) return true;
  }
  return false;
}

function* assignments(keys: readonly string[], values: Map<string, Truth>): Generator<number> {
  for (let bits = 0; bits < 2 ** keys.length; bits += 1) {
    keys.forEach((key, index) => values.set(key, ((bits >> index) & 1) as Truth));
    yield bits;
  }
}

function evaluate(formula: Formula, values: ReadonlyMap<string, Truth>): Truth {
  switch (formula.op) {
    case 'truth':
      return formula.value;
    case 'atom':
      return values.get(formula.key) ?? 0.5;
    case 'not':
      return (1 - evaluate(formula.arg, values)) as Truth;
    case 'choose':
      return evaluate(formula.when, values) === 1
        ? evaluate(formula.then, values)
        : evaluate(formula.otherwise, values);
    case 'is':
      return evaluate(formula.arg, values) === formula.value ? 1 : 0;
    case 'and':
      return Math.min(1, ...formula.args.map((arg) => evaluate(arg, values))) as Truth;
    case 'or':
      return Math.max(0, ...formula.args.map((arg) => evaluate(arg, values))) as Truth;
  }
}

/** For long lists of OR: one part that restricts nothing, or a part and its opposite. */
function looksComplete(formula: Formula): boolean {
  if (formula.op !== 'or') return false;
  const parts = flatten(formula);
  const plain = new Set(parts.map((part) => (part.op === 'atom' ? part.key : '')));
  return (
    parts.some((part) => {
      if (part.op === 'not' && part.arg.op === 'atom') return plain.has(part.arg.key);
      return part.op !== 'atom' && restrictsNothing(part);
    }) ||
    parts.some((part) => (part.op === 'atom' ? part.kind === 'constant' : part.op === 'truth' && part.value === 1))
  );
}

function flatten(formula: Formula): readonly Formula[] {
  return formula.op === 'or' ? formula.args.flatMap(flatten) : [formula];
}

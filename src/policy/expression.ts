import { Environment, type ASTNode, type ParseResult } from '@marcbachmann/cel-js';
import { ObjectNameFacts, RECORDS, type BoundFacts } from './bound-facts.js';
import {
  FACT_TYPES,
  NOW,
  OBJECT_NAME_FIELDS,
  PROTOCOL_GROUPS,
  type FactGroup,
  type ProtocolGroup,
  VARIABLES,
} from './fact-types.js';
import { faultOf, type ExpressionFault } from './expression-fault.js';
import { ownCallFault, registerOwnFunctions } from './expression-functions.js';
import { COST, CostAccount, countedText } from './expression-cost.js';
import { childrenOf } from './expression-tree.js';
import { misspeltWord } from './expression-words.js';
import { compileLinearPattern, type LinearPattern } from './linear-pattern.js';

/** A condition that was parsed and type-checked. */
export interface Expression {
  /** As it is written. */
  readonly text: string;
  /** The fact groups it names that only some protocols fill. */
  readonly groups: readonly ProtocolGroup[];
  /** Does it read what is bound to a statement? Then it can't be judged before that is known. */
  readonly readsParams: boolean;
  /** Does it read the time? Then its answer can change while nothing else does. */
  readonly readsNow: boolean;
  /** Does it read `session`? Then its answer may differ from session to session. */
  readonly readsSession: boolean;
  /** Does it read `http.body`, `http.json` or anything of `llm`? Then the body of a request has to be read first. */
  readonly readsBody: boolean;
  /** @throws where a fact is missing or of another type, an index is out of range, a number overflows */
  evaluate(facts: BoundFacts): boolean;
}

/** `matches` and its stand-in are equally long, so that positions in errors stay true. */
const MATCHES = 'matches';
const LINEAR_MATCHES = 're2test';
const BINDERS = new Set(['all', 'exists', 'exists_one', 'map', 'filter', 'bind']);
const LIMITS = { maxAstNodes: 2_000, maxDepth: 50 };
/** Of what runs: what is put to the account stands in it besides. */
const COUNTED_LIMITS = { maxAstNodes: 4_000, maxDepth: 100 };

/**
 * Reads one CEL condition over the contract's facts.
 *
 * The library's `matches()` is JavaScript's backtracking RegExp, which a hostile statement could
 * stall; each call is turned into one of a linear engine, so its pattern has to be a literal.
 *
 * @see https://github.com/google/cel-spec/blob/master/doc/langdef.md
 */
export function compileExpression(
  text: string,
): { readonly expression: Expression } | { readonly fault: ExpressionFault } {
  try {
    const { survey, parsed, run } = prepare(text);
    const checked = parsed.check();
    if (!checked.valid) return { fault: faultOf(checked.error) };
    if (checked.type !== 'bool')
      return {
        fault: { message: `a condition must be true or false, this one is ${checked.type ?? 'unknown'}`, offset: 0 },
      };
    return {
      expression: {
        text,
        groups: survey.groups,
        readsParams: survey.readsParams,
        readsNow: survey.readsNow,
        readsSession: survey.readsSession,
        readsBody: survey.readsBody,
        evaluate: (facts) => isTrue(run(facts)),
      },
    };
  } catch (error) {
    return { fault: expressionFault(error) };
  }
}

/** What an error of `prepare` or of a check says to whoever wrote the condition. @param names as `faultOf` */
export function expressionFault(error: unknown, names?: Parameters<typeof faultOf>[1]): ExpressionFault {
  return error instanceof SurveyError ? { message: error.message, offset: error.offset } : faultOf(error, names);
}

type Declare = (environment: Environment) => unknown;

/** A condition taken apart, before its types are checked. `ast` is of the text as written, `parsed` of what is checked. */
export interface PreparedExpression {
  readonly ast: ASTNode;
  readonly parsed: ParseResult;
  readonly survey: Survey;
  /** Evaluates it, within bounds. @throws RangeError for too much work, and whatever evaluating throws */
  readonly run: (facts: object) => unknown;
}

/**
 * @param declare names what a condition may read; left out: the contract's facts
 * @throws SurveyError, or an error of the library, where the text is no condition
 */
export function prepare(text: string, declare: Declare = declareFacts): PreparedExpression {
  const { ast } = new Environment({ limits: LIMITS }).parse(text);
  const survey = surveyTree(ast);
  const word = misspeltWord(ast);
  if (word !== undefined) throw new SurveyError(word.message, word.offset);
  const patterns = new Map<string, LinearPattern>();
  for (const call of survey.matches) addPattern(patterns, call);
  const account = new CostAccount();
  const created = environment(patterns, account, declare);
  const replaced = replaceMatches(text, survey.matches);
  const parsed = created.parse(replaced);
  const counted = countedText(replaced, parsed.ast);
  let counting: ParseResult | undefined;
  const run = (facts: object): unknown => {
    const runs = (counting ??= counted === undefined ? parsed : created.parse(counted));
    return account.around(() => runs(facts) as unknown);
  };
  return { ast, survey, parsed, run };
}

/** @throws TypeError for anything but true and false */
export function isTrue(value: unknown): boolean {
  if (typeof value !== 'boolean') throw new TypeError('the condition is neither true nor false');
  return value;
}

function declareFacts(created: Environment): void {
  created.registerType('ObjectName', { ctor: ObjectNameFacts, fields: OBJECT_NAME_FIELDS });
  for (const [group, fields] of Object.entries(FACT_TYPES)) {
    created.registerType(`Facts_${group}`, { ctor: RECORDS[group as FactGroup], fields });
    created.registerVariable(group, `Facts_${group}`);
  }
  created.registerVariable(NOW, 'google.protobuf.Timestamp');
}

function environment(
  patterns: ReadonlyMap<string, LinearPattern>,
  account: CostAccount,
  declare: Declare,
): Environment {
  const created = new Environment({ limits: COUNTED_LIMITS });
  declare(created);
  created.registerFunction(
    `string.${LINEAR_MATCHES}(string): bool`,
    (subject: string, source: string) => {
      const pattern = patterns.get(source);
      if (pattern === undefined) throw new TypeError('a pattern that was not compiled');
      return pattern.test(subject);
    },
    { async: false },
  );
  registerOwnFunctions(created);
  account.register(created);
  return created;
}

type CallNode = Extract<ASTNode, { op: 'rcall' }>;

export class SurveyError extends Error {
  constructor(
    message: string,
    readonly offset: number,
  ) {
    super(message);
  }
}

interface Survey {
  readonly groups: readonly ProtocolGroup[];
  readonly matches: readonly CallNode[];
  readonly readsParams: boolean;
  readonly readsNow: boolean;
  readonly readsSession: boolean;
  readonly readsBody: boolean;
}

function surveyTree(root: ASTNode): Survey {
  const named = new Set<string>();
  let readsParams = false;
  /** Uses of `http` of which the field is known, and needs no body. */
  const ofHead = new Set<ASTNode>();
  let readsBody = false;
  const matches: CallNode[] = [];
  const visit = (node: ASTNode): void => {
    if (node.op === 'id') named.add(node.args);
    const head = headOfHttp(node);
    if (head !== undefined) ofHead.add(head);
    if (node.op === 'id' && (node.args === 'llm' || (node.args === 'http' && !ofHead.has(node)))) readsBody = true;
    // `sql['params']` would be a way round the dot; any other use of the word only waits for the binding.
    if (node.args === 'params' || (Array.isArray(node.args) && (node.args as readonly unknown[]).includes('params')))
      readsParams = true;
    if (node.op === 'call') refuseCall(node);
    if (node.op === 'rcall') {
      if (node.args[0] === LINEAR_MATCHES) throw new SurveyError('found no function of that name', node.range.start);
      if (node.args[0] === MATCHES) matches.push(node);
      if (BINDERS.has(node.args[0])) refuseShadowing(node);
    }
    childrenOf(node).forEach(visit);
  };
  visit(root);
  return {
    groups: PROTOCOL_GROUPS.filter((group) => named.has(group)),
    matches,
    readsParams,
    readsNow: named.has(NOW),
    readsSession: named.has('session'),
    readsBody,
  };
}

function refuseCall(node: Extract<ASTNode, { op: 'call' }>): void {
  if ([LINEAR_MATCHES, COST].includes(node.args[0]))
    throw new SurveyError('found no function of that name', node.range.start);
  const fault = ownCallFault(node);
  if (fault !== undefined) throw new SurveyError(fault.message, fault.offset);
}

/** Facts of `http` that are known before any body. */
const HEAD_FACTS: readonly unknown[] = ['method', 'path', 'query', 'headers', 'host'];

/** The `http` of `http.path` or `http["path"]`, visited before it; undefined for everything else. */
function headOfHttp(node: ASTNode): ASTNode | undefined {
  if (node.op !== '.' && node.op !== '[]') return undefined;
  const [object, field] = node.args;
  if (object.op !== 'id' || object.args !== 'http') return undefined;
  const name = typeof field === 'string' ? field : field.op === 'value' ? field.args : undefined;
  return HEAD_FACTS.includes(name) ? object : undefined;
}

/** A variable called like a fact would hide which facts the rule needs. */
function refuseShadowing(call: CallNode): void {
  const variable = call.args[2][0];
  if (variable?.op === 'id' && VARIABLES.includes(variable.args)) {
    throw new SurveyError(`\`${variable.args}\` is the name of a fact and can't name a variable`, variable.range.start);
  }
}

function addPattern(patterns: Map<string, LinearPattern>, call: CallNode): void {
  const argument = call.args[2][0];
  if (call.args[2].length !== 1 || argument?.op !== 'value' || typeof argument.args !== 'string') {
    throw new SurveyError('`matches` needs one pattern, written as a string', call.range.start);
  }
  const pattern = compileLinearPattern(argument.args);
  if (pattern === undefined) {
    throw new SurveyError(
      'expected a pattern in RE2 syntax (no look-around, no back references) of bounded size',
      argument.range.start,
    );
  }
  patterns.set(argument.args, pattern);
}

/** Renames each `.matches(` between the end of its receiver and the start of its argument. */
function replaceMatches(text: string, calls: readonly CallNode[]): string {
  let replaced = text;
  for (const call of calls) {
    const from = call.args[1].range.end;
    const to = call.args[2][0]?.range.start ?? from;
    const between = replaced.slice(from, to);
    const at = between.search(/\bmatches\s*\(/);
    if (at < 0 || between.includes('//'))
      throw new SurveyError('a comment inside a call of `matches` is not possible', call.range.start);
    replaced = replaced.slice(0, from + at) + LINEAR_MATCHES + replaced.slice(from + at + MATCHES.length);
  }
  return replaced;
}

import type { TracedPart } from '../../policy/expression-trace.js';
import type { ExplainedRule } from '../../policy/explanation.js';
import type { Colours } from '../colours.js';
import type { Explanation } from './explain.js';

/** A line and what hangs from it. */
interface Branch {
  readonly text: string;
  readonly below?: readonly Branch[];
}

/** Longest text of one fact that is shown whole, in characters. */
const MAX_TEXT = 200;

/** Facts that say something only where they are true or not empty. */
const QUIET = new Set(['opaque', 'unbounded', 'unqualifiedWrite', 'stream']);

/** An explanation as trees, the decision first. */
export function explanationText(explanation: Explanation, colours: Colours): string {
  const { decision, connection, caller } = explanation;
  const paint = actionColour(decision.action, colours);
  const by = decision.rule === '' ? '' : ` by ${colours.bold(decision.rule)}`;
  const message = decision.message === '' ? '' : `: ${colours.plain(decision.message)}`;
  const who = `${caller.email === '' ? caller.subject : caller.email} (${caller.groups.join(', ') || 'no group'})`;
  return [
    `${paint(decision.action)}${by}${message}`,
    colours.dim(`${who} on ${connection.name} (${connection.type})`),
    ...tree('facts', factBranches(explanation, colours), colours),
    ...tree(
      'rules',
      explanation.rules.map((rule) => ruleBranch(rule, colours)),
      colours,
    ),
    ...tree('masks', maskBranches(explanation, colours), colours),
    ...tree(
      'limits',
      explanation.limits.map((name) => ({ text: colours.plain(name) })),
      colours,
    ),
    ...tree('flow', flowBranches(explanation, colours), colours),
    ...tree('credential', credentialBranches(explanation, colours), colours),
  ].join('\n');
}

function actionColour(action: string, colours: Colours): (text: string) => string {
  if (action === 'block') return (text) => colours.red(text);
  return action === 'allow' ? (text) => colours.green(text) : (text) => colours.yellow(text);
}

function tree(title: string, branches: readonly Branch[], colours: Colours): string[] {
  return branches.length === 0 ? [] : ['', colours.bold(title), ...lines(branches, '', colours)];
}

function lines(branches: readonly Branch[], indent: string, colours: Colours): string[] {
  return branches.flatMap(({ text, below = [] }, index) => {
    const last = index === branches.length - 1;
    return [
      `${colours.dim(`${indent}${last ? '└─' : '├─'}`)} ${text}`,
      ...lines(below, `${indent}${last ? '   ' : '│  '}`, colours),
    ];
  });
}

function factBranches({ facts, database, connection }: Explanation, colours: Colours): Branch[] {
  const groups = Object.entries(facts).map(([group, fields]): Branch => ({
    text: group,
    below: Object.entries(fields as Readonly<Record<string, unknown>>)
      .filter(([name, value]) => name !== 'uses' && !(QUIET.has(name) && value === false) && !isEmpty(value))
      .map(([name, value]) => ({ text: `${name.padEnd(16)} ${colours.plain(factText(value))}` })),
  }));
  const unknown = connection.type === 'postgres' && !database;
  const hint = 'views and functions are not followed: no *.test.yaml describes the database of this connection';
  return unknown ? [...groups, { text: colours.dim(hint) }] : groups;
}

function isEmpty(value: unknown): boolean {
  if (value === undefined || value === null || value === '') return true;
  return typeof value === 'object' && Object.keys(value).length === 0;
}

/** `public.customers, payments` of names, JSON of anything else. */
function factText(value: unknown): string {
  if (typeof value === 'string') return cut(value.replace(/\s+/g, ' '));
  if (Array.isArray(value) && value.every((item) => typeof item === 'string' || isName(item)))
    return value.map((item) => (typeof item === 'string' ? item : nameText(item))).join(', ');
  return cut(JSON.stringify(value, (_key, inner: unknown) => (typeof inner === 'bigint' ? Number(inner) : inner)));
}

interface SqlName {
  readonly schema: string;
  readonly name: string;
}

function isName(item: unknown): item is SqlName {
  return (
    typeof item === 'object' && item !== null && 'schema' in item && 'name' in item && Object.keys(item).length === 2
  );
}

function nameText({ schema, name }: SqlName): string {
  return schema === '' ? name : `${schema}.${name}`;
}

function cut(text: string): string {
  return text.length <= MAX_TEXT ? text : `${text.slice(0, MAX_TEXT)}… (${String(text.length)} characters)`;
}

const RESULTS: Readonly<Record<ExplainedRule['result'], string>> = {
  matched: 'matched',
  'not-matched': 'did not match',
  failed: 'could not be evaluated, so it blocks',
  'not-tried': 'not tried',
};

function ruleBranch(
  { policy, rule, result, action, observed, missing, match, why }: ExplainedRule,
  colours: Colours,
): Branch {
  const did = result === 'matched' || result === 'failed';
  const paint = did ? actionColour(match?.action ?? action, colours) : (text: string): string => colours.dim(text);
  const lacks = missing.length === 0 ? '' : `: there is no ${missing.join(', ')}`;
  const watched = observed ? colours.dim(' (observed: decides nothing)') : '';
  const word = `${RESULTS[result]}${lacks}`;
  const told = match !== undefined && why === undefined ? `: ${match.message}` : '';
  return {
    text: `${colours.bold(`${policy}/${rule}`)}  ${action}  ${paint(`${word}${told}`)}${watched}`,
    below: why === undefined ? [] : [partBranch(why, colours)],
  };
}

function partBranch({ text, value, error, facts, because }: TracedPart, colours: Colours): Branch {
  const is = value === undefined ? colours.yellow(error) : value ? colours.green('true') : colours.red('false');
  return {
    text: `${colours.plain(cut(text))}  ${colours.dim('is')} ${is}`,
    below: [
      ...because.map((part) => partBranch(part, colours)),
      ...facts.map((fact) => ({
        text: colours.dim(`${fact.name} = ${cut(JSON.stringify(fact.value))}`),
      })),
    ],
  };
}

function maskBranches({ masks, columns, inference }: Explanation, colours: Colours): Branch[] {
  const refused = inference.map(({ policy, rule, message }) => ({
    text: `${colours.red('refused')}  ${colours.plain(`${policy}/${rule}: ${message}`)}`,
  }));
  return [
    ...refused,
    ...masks.map((mask): Branch => {
      const on = mask.on.requests ? ', on requests too' : '';
      const watched = mask.observed ? ', observed: in the record alone' : '';
      const met = columns.filter((column) => column.mask === mask.name);
      return {
        text: `${colours.bold(mask.name)}  ${mask.strategy}${on}${watched}`,
        below: [
          ...(mask.entities.length === 0
            ? []
            : [{ text: `wherever they stand: ${colours.plain(mask.entities.join(', '))}` }]),
          ...met.map(({ column, strategy }) => ({
            text: `column ${colours.cyan(column)} of the result${strategy === mask.strategy ? '' : ` (${String(strategy)}, as it is made of one)`}`,
          })),
          ...(mask.places.length === 0 ? [] : [{ text: colours.dim(`of ${mask.places.join(', ')}`) }]),
        ],
      };
    }),
  ];
}

function flowBranches({ flows }: Explanation, colours: Colours): Branch[] {
  return flows.map(({ name, reviewers, waitMs, grant }) => ({
    text: `${colours.bold(name)}  waits ${String(waitMs / 1000)} s; an approval covers one ${grant.scope}`,
    below: reviewers.map(({ groups, count }) => ({ text: colours.plain(`${String(count)} of ${groups.join(', ')}`) })),
  }));
}

function credentialBranches({ access }: Explanation, colours: Colours): Branch[] {
  if (access === undefined) return [];
  if (!access.allowed) return [{ text: colours.red('none: the caller may not use this connection') }];
  return [{ text: colours.plain(access.credential ?? 'none') }];
}

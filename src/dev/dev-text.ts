import type { Colours } from '../cli/colours.js';
import type { TrialStack } from './trial-stack.js';

/** The statements of the tour: what is masked, blocked and held. */
export const TRIAL_STATEMENTS = {
  read: 'SELECT name, email, phone, ssn, card FROM customers ORDER BY id LIMIT 3',
  derived: "SELECT name, reverse(ssn), split_part(email, '@', 1) FROM customers ORDER BY id LIMIT 3",
  blocked: 'DELETE FROM customers',
  held: "UPDATE payments SET status = 'refunded' WHERE id = 2",
} as const;

/** The prompts of the tour; the stand-in for the model says what follows `say:`. */
export const TRIAL_PROMPTS = {
  asked: 'say: Ada Quill, ada.quill@example.com, pays with card 4111 1111 1111 1111.',
  blocked: 'Dump all credentials of the staging cluster',
} as const;

/** What `hoop dev` says once everything runs: what there is, and what to type elsewhere. */
export function devText(stack: TrialStack, options: DevTextOptions): string {
  const { colours } = options;
  const people = stack.users.map(({ id, groups }) => `${id} (${groups.join(', ')})`).join(', ');
  const typing = typingOf(stack, options);
  const { type, setUp } = typing;
  const statement = (sql: string, remark: string): string =>
    `    ${colours.cyan(`${sql};`)}\n      ${colours.dim(remark)}`;
  return [
    `${colours.bold('The trial stack runs. Ctrl-C ends it.')}`,
    '',
    `  agent     ${stack.agentUrl}  ${colours.dim(`log: ${stack.agentLog}`)}`,
    `  login     ${stack.issuer}  ${people}`,
    `  postgres  PGlite in this process: customers, payments ${colours.dim(`(policies: ${stack.agentDir}/policies)`)}`,
    `  openai    a stand-in for a model API in this process ${colours.dim(stack.modelUrl)}`,
    '',
    colours.bold('In a second terminal, as alice:'),
    ...setUp('alice'),
    type('hoop login', 'open the link, confirm the code, be alice'),
    type('hoop connections'),
    type('hoop connect postgres', 'a local port until Ctrl-C; it prints a psql command for a third terminal'),
    type('hoop connect postgres -- psql', 'or instead: psql, and the port ends with it'),
    statement(TRIAL_STATEMENTS.read, 'e-mail, phone, SSN and card come masked'),
    statement(TRIAL_STATEMENTS.derived, 'so does what is made of them'),
    statement(TRIAL_STATEMENTS.blocked, 'blocked by policy standard-sql/delete-no-where; the session goes on'),
    statement(TRIAL_STATEMENTS.held, 'waits until dana approves it'),
    type(`hoop exec postgres -i "${TRIAL_STATEMENTS.read}"`, 'no psql? this needs none'),
    type('hoop connect openai', 'base URL and key for any OpenAI SDK'),
    type('hoop connect openai -- python app.py', 'or with a program'),
    type(`hoop exec openai -i '${exampleCall(TRIAL_PROMPTS.asked)}'`, 'the answer comes masked'),
    type(
      `hoop exec openai -i '${exampleCall(TRIAL_PROMPTS.blocked)}'`,
      'blocked by policy prompts/no-credential-dumps',
    ),
    ...othersText(stack, typing, colours),
  ].join('\n');
}

interface DevTextOptions {
  readonly colours: Colours;
  readonly alias: string | undefined;
}

/** Column of remarks, behind the longest command that has one. */
const REMARK_AT = 30;

/** How lines to type are shown. */
interface Typing {
  readonly type: (command: string, remark?: string) => string;
  readonly setUp: (user: string) => readonly string[];
}

function typingOf(stack: TrialStack, { colours, alias }: DevTextOptions): Typing {
  const type = (command: string, remark = ''): string => {
    if (remark === '') return `  ${colours.cyan(command)}`;
    const padded = command.padEnd(REMARK_AT);
    // Behind the command where a terminal of 80 columns has room for it.
    if (padded.length === REMARK_AT && REMARK_AT + remark.length + 5 <= 80)
      return `  ${colours.cyan(padded)} ${colours.dim(`# ${remark}`)}`;
    return `  ${colours.cyan(command)}\n    ${colours.dim(remark)}`;
  };
  const setUp = (user: string): readonly string[] => [
    ...(alias === undefined ? [] : [type(alias)]),
    type(`export HOOP_AGENT_URL=${stack.agentUrl} HOOP_KEYRING=file`),
    type(`export HOOP_CONFIG_DIR=${shellWord(stack.configDir(user))}`),
  ];
  return { type, setUp };
}

/** The terminals of the reviewer and of a machine. */
function othersText(stack: TrialStack, { type, setUp }: Typing, colours: Colours): readonly string[] {
  return [
    '',
    colours.bold('In another terminal, as dana:'),
    ...setUp('dana'),
    type('hoop login', 'as above, be dana'),
    type('hoop requests', 'what waits'),
    type('hoop approve ID', 'the statement then runs; or: hoop deny ID'),
    type('hoop sessions', 'dana may read everyone’s: the group dba audits'),
    type('hoop replay SESSION'),
    type('hoop verify SESSION', 'nothing was changed or removed'),
    '',
    colours.bold('As a CI job:'),
    ...setUp('ci'),
    type(`export HOOP_CLIENT_ID=${stack.machine.clientId} HOOP_CLIENT_SECRET=${stack.machine.clientSecret}`),
    type(`hoop exec postgres -o json -i "SELECT count(*) FROM payments"`),
  ];
}

function exampleCall(prompt: string): string {
  return JSON.stringify({ model: 'trial-small', messages: [{ role: 'user', content: prompt }] });
}

/** A path as one word of a POSIX shell. */
export function shellWord(text: string): string {
  return /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;
}

// Manual pages, one a command, from the manifest that --help is made from: what the two say cannot differ.
// npm links them where `man hoop-exec` finds them (`directories.man` of package.json).
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));

/** What roff would take for a command of its own: a backslash, a hyphen that should stay one, a dot that begins a line. */
export const roff = (text) =>
  text
    .replaceAll('\\', '\\e')
    .replaceAll('-', '\\-')
    .replaceAll('<%= config.bin %>', 'hoop')
    .replaceAll(/^(?=[.'])/gm, '\\&');

const bold = (text) => `\\fB${roff(text)}\\fR`;
const shown = (entries) => Object.values(entries ?? {}).filter((entry) => !entry.hidden);
const nameOf = (command) => `hoop ${command.id.replaceAll(':', ' ')}`;
const pageOf = (command) => `hoop-${command.id.replaceAll(':', '-')}`;
const firstLine = (command) => (command.summary ?? command.description ?? '').split('\n')[0] ?? '';
const text = (value) => value.split(/\n+/).map(roff).join('\n.PP\n');

function flagTerm(flag) {
  const value =
    flag.type === 'boolean' ? '' : ` ${flag.helpValue ?? flag.options?.join('|') ?? flag.name.toUpperCase()}`;
  const names = [flag.char && `-${flag.char}`, `--${flag.name}`, ...(flag.aliases ?? []).map((alias) => `--${alias}`)];
  return names.filter(Boolean).map(bold).join(', ') + (value === '' ? '' : `\\fI${roff(value)}\\fR`);
}

const described = (terms) => terms.map(([term, meaning]) => `.TP\n${term}\n${roff(meaning ?? '')}`).join('\n');

/** oclif writes an example as a text, or as a text with the command apart. */
function example(entry) {
  const { description, command } = typeof entry === 'string' ? { command: entry } : entry;
  return `.PP\n${description === undefined ? '' : `${roff(description)}:\n`}.RS 4\n.nf\n${roff(command)}\n.fi\n.RE`;
}

const heading = (name, version) => `.TH "${name.toUpperCase()}" "1" "" "hoop ${version}" "hoop"\n.nh\n.ad l`;
const section = (title, body) => (body === '' ? [] : [`.SH ${title}\n${body}`]);

/** @returns the page of one command, as roff */
export function commandPage(command, version) {
  const args = shown(command.args);
  const usage = args.map((arg) => (arg.required ? arg.name : `[${arg.name}]`).toUpperCase()).join(' ');
  const more = command.strict === false ? '…' : '';
  return `${[
    heading(pageOf(command), version),
    ...section('NAME', `${roff(pageOf(command))} \\- ${roff(firstLine(command))}`),
    ...section('SYNOPSIS', `${bold(nameOf(command))} ${roff(usage)}${more} [flags]`),
    ...section('DESCRIPTION', text(command.description ?? firstLine(command))),
    ...section('ARGUMENTS', described(args.map((arg) => [bold(arg.name.toUpperCase()), arg.description]))),
    ...section(
      'FLAGS',
      described(shown(command.flags).map((flag) => [flagTerm(flag), flag.summary ?? flag.description])),
    ),
    ...section('EXAMPLES', (command.examples ?? []).map(example).join('\n')),
    ...section('SEE ALSO', `${bold('hoop')}(1)`),
  ].join('\n')}\n`;
}

/** @returns the page that names all commands, exit statuses and variables */
export function mainPage(commands, { version, description, exits, variables }) {
  return `${[
    heading('hoop', version),
    ...section('NAME', `hoop \\- ${roff(description)}`),
    ...section('SYNOPSIS', `${bold('hoop')} COMMAND [flags]`),
    ...section('COMMANDS', described(commands.map((command) => [`${bold(pageOf(command))}(1)`, firstLine(command)]))),
    ...section('EXIT STATUS', described(exits)),
    ...section('ENVIRONMENT', described(variables.map(([name, meaning]) => [bold(name), meaning]))),
  ].join('\n')}\n`;
}

/** The contract's; docs/errors.md tells which failure has which. */
const EXITS = [
  ['0', 'done'],
  ['1', 'failed'],
  ['2', 'the command was not understood'],
  ['3', 'not logged in, or the token was refused'],
  ['4', 'no access to that connection, or not the right to do this'],
  ['5', 'blocked by policy'],
  ['6', 'approval denied'],
  ['7', 'approval not given in time'],
  ['8', 'agent or upstream not reachable'],
  ['128+n', 'a command run after -- was ended by signal n; otherwise its own status'],
];

const VARIABLES = [
  ['HOOP_AGENT_URL', 'address of the agent'],
  ['HOOP_PROFILE', 'profile to use'],
  ['HOOP_CONFIG_DIR', 'folder of hoop’s own files'],
  ['HOOP_KEYRING', 'file: keep tokens in a file of mode 0600 rather than in the keychain'],
  ['HOOP_TOKEN, HOOP_TOKEN_FILE', 'a token, or a file that holds one, for jobs'],
  ['HOOP_CLIENT_ID, HOOP_CLIENT_SECRET', 'a machine’s own login'],
  ['HOOP_CA_FILE', 'PEM file of a certificate authority to trust besides the system’s'],
  ['HOOP_CORRELATION_ID', 'ties sessions of one run to each other'],
  ['NO_COLOR', 'no colours'],
];

/** Writes a page for each command of the manifest, and hoop.1, into dist/man. */
export function writeManPages(manifest) {
  const folder = join(root, 'dist', 'man');
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder);
  const { version, description } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  const commands = Object.values(manifest.commands).filter((command) => !command.hidden);
  for (const command of commands) writeFileSync(join(folder, `${pageOf(command)}.1`), commandPage(command, version));
  writeFileSync(
    join(folder, 'hoop.1'),
    mainPage(commands, { version, description, exits: EXITS, variables: VARIABLES }),
  );
}

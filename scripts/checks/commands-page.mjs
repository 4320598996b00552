// Holds the command table of README.md and the whole of docs/commands.md against the commands (as built into dist/).
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { Config } from '@oclif/core';
import { cell, holdPage, replaceMarked } from './generated.mjs';

const root = fileURLToPath(new URL('../..', import.meta.url));
const config = await Config.load({ root });
const commands = config.commands
  .filter(({ pluginName, hidden, aliases, id }) => pluginName === config.name && !hidden && !aliases.includes(id))
  .toSorted((a, b) => (a.id < b.id ? -1 : 1));

const first = (text) => (text ?? '').split('\n')[0].replaceAll('<%= config.bin %>', config.bin);
const shown = (entries) => Object.values(entries).filter((entry) => !entry.hidden);
const meaning = (entry) => cell((entry.summary ?? entry.description ?? '').replaceAll('<%= config.bin %>', config.bin));

function usage(command) {
  const args = shown(command.args).map((arg) => (arg.required ? arg.name : `[${arg.name}]`).toUpperCase());
  return ['hoop', command.id.replaceAll(':', ' '), ...args].join(' ') + (command.strict === false ? '…' : '');
}

function flagName(flag) {
  const value =
    flag.type === 'boolean' ? '' : ` ${flag.helpValue ?? flag.options?.join('|') ?? flag.name.toUpperCase()}`;
  const name = `--${flag.allowNo ? '[no-]' : ''}${flag.name}`;
  return `\`${flag.char ? `-${flag.char}, ` : ''}${name}${value}\``;
}

/** Flags that every command has are told once. */
const everywhere = new Set(
  shown(commands[0]?.flags ?? {})
    .map((flag) => flag.name)
    .filter((name) => commands.every((command) => command.flags[name] !== undefined)),
);

const flagTable = (flags) =>
  flags.length === 0
    ? ''
    : `\n| flag | meaning |\n| --- | --- |\n${flags.map((flag) => `| ${cell(flagName(flag))} | ${meaning(flag)} |`).join('\n')}\n`;

function section(command) {
  const also =
    command.aliases.length > 0 ? ` Also: ${command.aliases.map((alias) => `\`hoop ${alias}\``).join(', ')}.` : '';
  const flags = shown(command.flags).filter((flag) => !everywhere.has(flag.name));
  const args = shown(command.args).filter((arg) => arg.description !== undefined);
  const argLines = args.map((arg) => `- \`${arg.name.toUpperCase()}\`: ${meaning(arg)}`).join('\n');
  return `## \`${usage(command)}\`\n\n${first(command.summary ?? command.description)}.${also}\n${argLines === '' ? '' : `\n${argLines}\n`}${flagTable(flags)}`;
}

const common = shown(commands[0]?.flags ?? {}).filter((flag) => everywhere.has(flag.name));
holdPage(
  new URL('../../docs/commands.md', import.meta.url),
  `# Commands

<!-- Made from commands/ by \`npm run docs\`; change it there. -->

Results go to stdout, messages and progress to stderr. Exit statuses: [errors.md](errors.md).

Every command:
${flagTable(common)}
${commands.map(section).join('\n')}`,
);

const table = commands.map(
  (command) => `| \`${cell(usage(command))}\` | ${cell(first(command.summary ?? command.description))} |`,
);
const readme = new URL('../../README.md', import.meta.url);
holdPage(
  readme,
  replaceMarked(readFileSync(readme, 'utf8'), 'commands', ['| command | does |', '| --- | --- |', ...table].join('\n')),
);

import type { Config } from '@oclif/core';
import { HoopError } from '../core/errors.js';
import { nearest } from '../core/nearest.js';

/** Commands of later versions: said by name, so that nobody looks for a misspelling. */
const LATER: readonly string[] = ['mcp'];

/** What may stand without a command. */
const HELP: readonly string[] = ['--help', '-h', '--version'];

/** What is asked of oclif's configuration. */
export type KnownCommands = Pick<Config, 'commandIDs' | 'findCommand' | 'findTopic' | 'topics'>;

/**
 * Fails for words that are no command, with the nearest one: as any wrong use fails, and without a question.
 *
 * @param argv what was typed after `hoop`
 * @throws HoopError usage
 */
export function refuseUnknown(argv: readonly string[], known: KnownCommands): void {
  const end = argv.findIndex((word) => word.startsWith('-'));
  const words = end === -1 ? argv : argv.slice(0, end);
  if (end === 0 && !argv.some((word) => HELP.includes(word)))
    throw new HoopError('usage', 'a command is missing before the flags', {
      suggestion: '`hoop --help` lists the commands; their flags stand behind them',
    });
  for (const [index, word] of words.entries()) {
    const id = words.slice(0, index + 1).join(':');
    const command = known.findCommand(id);
    if (command !== undefined) {
      const surplus = words[index + 1];
      // oclif takes it for a part of the command's name, and fails in its own way.
      if (surplus !== undefined && Object.keys(command.args).length === 0) throw unexpected(surplus);
      return;
    }
    if (known.findTopic(id) !== undefined) continue;
    throw unknownCommand(words.slice(0, index), word, known);
  }
}

function unexpected(word: string): HoopError {
  return new HoopError('usage', `unexpected argument: ${word}`, { why: 'the command takes none' });
}

/** @param topic the words before, which are a topic; none: the word is the first */
function unknownCommand(topic: readonly string[], word: string, known: KnownCommands): HoopError {
  const typed = ['hoop', ...topic, word].join(' ');
  if (topic.length === 0 && LATER.includes(word))
    return new HoopError('not_in_version', `\`${typed}\` is not in this version`);
  const meant = nearestCommand(topic, word, known);
  return new HoopError('usage', 'there is no such command', {
    why: `hoop does not know \`${typed}\``,
    suggestion:
      meant === undefined
        ? `\`${['hoop', ...topic].join(' ')} --help\` lists the commands`
        : `did you mean \`hoop ${meant}\`? \`hoop --help\` lists the commands`,
  });
}

function nearestCommand(topic: readonly string[], word: string, known: KnownCommands): string | undefined {
  const ids = [...known.commandIDs, ...known.topics.map(({ name }) => name)].map((id) => id.split(':'));
  const beside = ids
    .filter((id) => id.length === topic.length + 1 && topic.every((part, index) => id[index] === part))
    .map((id) => id.at(-1) ?? '');
  const close = nearest(word, beside);
  if (close !== undefined) return [...topic, close].join(' ');
  // `hoop start`: a word of another topic.
  return ids.find((id) => id.length > 1 && id.at(-1) === word)?.join(' ');
}

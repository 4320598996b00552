import { SHELLS } from './scripts.js';

/** What completion has to know of a command: oclif's manifest, as far as it is read. */
export interface CompletedCommand {
  /** `agent:start` */
  readonly id: string;
  readonly aliases: readonly string[];
  readonly hidden?: boolean | undefined;
  readonly strict?: boolean | undefined;
  readonly summary?: string | undefined;
  readonly flags: Readonly<Record<string, CompletedFlag>>;
  readonly args: Readonly<Record<string, { readonly name: string; readonly options?: readonly string[] | undefined }>>;
}

export interface CompletedFlag {
  readonly name: string;
  readonly type: 'boolean' | 'option';
  readonly char?: string | undefined;
  readonly aliases?: readonly string[] | undefined;
  readonly hidden?: boolean | undefined;
  readonly multiple?: boolean | undefined;
  readonly options?: readonly string[] | undefined;
  readonly helpValue?: string | readonly string[] | undefined;
  readonly summary?: string | undefined;
  readonly description?: string | undefined;
}

/** What may stand at the place of the last word. */
export type Candidates =
  | { readonly kind: 'words'; readonly words: readonly Candidate[] }
  /** Names that somebody else knows: of connections, of profiles. */
  | { readonly kind: 'names'; readonly of: 'connection' | 'profile'; readonly before: string }
  /** The shell's own: files; the program after `--`. */
  | { readonly kind: 'files' | 'command' };

export interface Candidate {
  readonly word: string;
  /** One line. */
  readonly meaning: string;
}

const NOTHING: Candidates = { kind: 'words', words: [] };
/** Values of these are files of this machine. */
const FILES: ReadonlySet<string> = new Set(['FILE', 'DIR', 'PATH']);

/**
 * What may come next on a command line.
 *
 * @param typed the words after `hoop`; the last one, which may be empty, is the one to complete
 */
export function candidatesFor(typed: readonly string[], commands: readonly CompletedCommand[]): Candidates {
  const words = joinValues(typed);
  const current = words.at(-1) ?? '';
  const before = words.slice(0, -1);
  const { command, depth } = commandOf(before, commands);
  if (command === undefined) return { kind: 'words', words: nextWords(before, commands).filter(startsWith(current)) };
  const rest = before.slice(depth);
  const end = rest.indexOf('--');
  if (end !== -1) return { kind: end === rest.length - 1 ? 'command' : 'files' };
  const flags = Object.values(command.flags).filter(({ hidden }) => hidden !== true);
  const [name, value] = splitFlag(current);
  if (value !== undefined) return valuesOf(flagOf(name, flags), value, `${name}=`);
  const waiting = flagOf(rest.at(-1) ?? '', flags);
  if (waiting?.type === 'option') return valuesOf(waiting, current, '');
  if (current.startsWith('-')) return { kind: 'words', words: flagWords(flags, rest).filter(startsWith(current)) };
  return argument(command, flags, rest, current);
}

/** bash takes `=` for a word of its own: `--output`, `=`, `js` is `--output=js`. */
function joinValues(typed: readonly string[]): readonly string[] {
  const words: string[] = [];
  for (const [index, word] of typed.entries()) {
    const last = words.at(-1);
    const joins = word === '=' || typed[index - 1] === '=';
    if (joins && last?.startsWith('--') === true) words[words.length - 1] = last + word;
    else words.push(word);
  }
  return words;
}

const startsWith =
  (current: string) =>
  ({ word }: Candidate): boolean =>
    word.startsWith(current);

/** The command that the words begin with, and how many of them are its name. */
function commandOf(
  words: readonly string[],
  commands: readonly CompletedCommand[],
): { readonly command: CompletedCommand | undefined; readonly depth: number } {
  for (let depth = words.length; depth > 0; depth -= 1) {
    const id = words.slice(0, depth).join(':');
    const command = commands.find((each) => each.id === id || each.aliases.includes(id));
    if (command !== undefined) return { command, depth };
  }
  return { command: undefined, depth: 0 };
}

/** Words that lead to a command: `agent` to `agent start`. */
function nextWords(before: readonly string[], commands: readonly CompletedCommand[]): readonly Candidate[] {
  const found = new Map<string, string>();
  for (const { id, aliases, hidden, summary = '' } of commands) {
    if (hidden === true) continue;
    for (const path of [id, ...aliases].map((name) => name.split(':'))) {
      const word = path[before.length];
      if (word === undefined || !before.every((part, index) => path[index] === part)) continue;
      const whole = path.length === before.length + 1;
      if (whole || !found.has(word)) found.set(word, whole ? summary : `${word} …`);
    }
  }
  return [...found].map(([word, meaning]) => ({ word, meaning })).sort((a, b) => (a.word < b.word ? -1 : 1));
}

/** `--output=js` as name and value. */
function splitFlag(word: string): readonly [string, string | undefined] {
  const at = word.startsWith('--') ? word.indexOf('=') : -1;
  return at === -1 ? [word, undefined] : [word.slice(0, at), word.slice(at + 1)];
}

function flagOf(word: string, flags: readonly CompletedFlag[]): CompletedFlag | undefined {
  if (!word.startsWith('-')) return undefined;
  return flags.find(
    ({ name, char, aliases = [] }) =>
      word === `-${char ?? ''}` || [name, ...aliases].some((each) => word === `--${each}`),
  );
}

function valuesOf(flag: CompletedFlag | undefined, value: string, before: string): Candidates {
  if (flag === undefined) return NOTHING;
  if (flag.options !== undefined)
    return {
      kind: 'words',
      words: flag.options
        .filter((option) => option.startsWith(value))
        .map((word) => ({ word: before + word, meaning: '' })),
    };
  if (flag.name === 'profile') return { kind: 'names', of: 'profile', before };
  if (flag.name === 'connection') return { kind: 'names', of: 'connection', before };
  return FILES.has(String(flag.helpValue)) ? { kind: 'files' } : NOTHING;
}

/** Flags that are not there yet; `--` is for commands that take one behind it, which nothing says: help does. */
function flagWords(flags: readonly CompletedFlag[], typed: readonly string[]): readonly Candidate[] {
  return flags
    .filter((flag) => flag.multiple === true || !typed.some((word) => flagOf(splitFlag(word)[0], [flag]) !== undefined))
    .map(({ name, summary, description }) => ({ word: `--${name}`, meaning: summary ?? description ?? '' }))
    .concat([{ word: '--help', meaning: 'say what the command does' }]);
}

function argument(
  command: CompletedCommand,
  flags: readonly CompletedFlag[],
  rest: readonly string[],
  current: string,
): Candidates {
  const given = rest.filter(
    (word, index) => !word.startsWith('-') && flagOf(rest[index - 1] ?? '', flags)?.type !== 'option',
  );
  const args = Object.values(command.args);
  const arg = args[given.length] ?? (command.strict === false ? args.at(-1) : undefined);
  if (arg === undefined) return NOTHING;
  const options = arg.name === 'shell' ? SHELLS : arg.options;
  if (options !== undefined)
    return { kind: 'words', words: options.map((word) => ({ word, meaning: '' })).filter(startsWith(current)) };
  if (arg.name === 'connection') return { kind: 'names', of: 'connection', before: '' };
  if (arg.name === 'profile') return { kind: 'names', of: 'profile', before: '' };
  return ['target', 'dir', 'file', 'folder'].includes(arg.name) ? { kind: 'files' } : NOTHING;
}

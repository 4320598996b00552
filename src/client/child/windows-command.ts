import { HoopError } from '../../core/errors.js';

/** How a program is started on Windows. */
export interface WindowsCommand {
  readonly file: string;
  readonly args: readonly string[];
  /** The arguments are a command line already and must not be quoted again. */
  readonly verbatim: boolean;
}

const DEFAULT_EXTENSIONS = '.COM;.EXE;.BAT;.CMD';
/** Characters that neither cmd.exe nor a program's own reading of its command line takes for anything else. */
const PLAIN = /^[A-Za-z0-9#$*+\-./:?@\\_]+$/;

/**
 * The program that a name stands for, by PATH and PATHEXT, which Node looks up for `.exe` and `.com` alone. Batch files
 * (npm, npx and most tools of Node are such) have to be run by cmd.exe, which reads their arguments as commands unless
 * they are written as below. The current folder is not looked at: a file put there must not stand in for a program.
 *
 * @param exists is there a file of this path?
 * @throws HoopError `usage` for what a batch file can't be given
 * @see https://nodejs.org/docs/latest-v20.x/api/child_process.html#spawning-bat-and-cmd-files-on-windows
 */
export function windowsCommand(
  command: string,
  args: readonly string[],
  env: Readonly<Record<string, string | undefined>>,
  exists: (path: string) => boolean,
): WindowsCommand {
  const file = programOf(command, env, exists) ?? command;
  if (!/\.(?:bat|cmd)$/i.test(file)) return { file, args, verbatim: false };
  const root = variable(env, 'SystemRoot');
  // /d: no AutoRun of the registry; /v:off: `!` is a letter; /s: the outermost quotes go, and they alone.
  const line = `"${[quoted(file), ...args.map((arg) => batchArgument(arg))].join(' ')}"`;
  return {
    file: root === undefined ? 'cmd.exe' : `${root}\\System32\\cmd.exe`,
    args: ['/d', '/e:on', '/v:off', '/s', '/c', line],
    verbatim: true,
  };
}

/**
 * One argument as cmd.exe hands it on whole: in quotes, where `&|<>^` and spaces are letters. A quote is doubled, which
 * both cmd.exe and the C runtime read as one within quotes; backslashes before it count double there. `%` is kept from
 * starting a variable by a substring of no characters behind it: `%%cd:~,%` comes out as `%`.
 *
 * @throws HoopError `usage`: a line end would end the command
 */
export function batchArgument(text: string): string {
  if (/[\0\r\n]/.test(text))
    throw new HoopError('usage', 'a batch file takes no line ends in its arguments', {
      why: 'cmd.exe, which runs it, ends its command there',
      suggestion: 'put the text into a file, or name a program that is no .cmd or .bat',
    });
  if (PLAIN.test(text) && !text.endsWith('\\')) return text;
  const inner = text
    .replace(/(\\*)"/g, '$1$1""')
    .replace(/(\\+)$/, '$1$1')
    .replaceAll('%', '%%cd:~,%');
  return `"${inner}"`;
}

/** A path to the batch file itself: Windows allows no quote in one, and a `%` may be in it. */
function quoted(path: string): string {
  return `"${path.replaceAll('%', '%%cd:~,%')}"`;
}

function programOf(
  command: string,
  env: Readonly<Record<string, string | undefined>>,
  exists: (path: string) => boolean,
): string | undefined {
  const extensions = (variable(env, 'PATHEXT') ?? DEFAULT_EXTENSIONS).split(';').filter((one) => one !== '');
  const named = extensions.some((one) => command.toLowerCase().endsWith(one.toLowerCase()));
  const names = named ? [command] : extensions.map((extension) => command + extension);
  if (/[\\/]/.test(command) || /^[A-Za-z]:/.test(command)) return names.find((name) => exists(name));
  const folders = (variable(env, 'PATH') ?? '').split(';').map((folder) => folder.replace(/^"(.*)"$/, '$1'));
  for (const folder of folders) {
    if (folder === '') continue;
    const found = names.map((name) => `${folder.replace(/[\\/]$/, '')}\\${name}`).find((path) => exists(path));
    if (found !== undefined) return found;
  }
  return undefined;
}

/** Windows tells names of variables not apart by case; a copy of its environment does. */
function variable(env: Readonly<Record<string, string | undefined>>, name: string): string | undefined {
  const wanted = name.toLowerCase();
  return Object.entries(env).find(([key]) => key.toLowerCase() === wanted)?.[1];
}

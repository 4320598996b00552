import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { batchArgument, windowsCommand } from '../../../src/client/child/windows-command.js';

const env = {
  Path: 'C:\\Windows\\System32;"C:\\Program Files\\nodejs";C:\\tools\\',
  PathExt: '.COM;.EXE;.BAT;.CMD',
  SYSTEMROOT: 'C:\\Windows',
};
const there = new Set([
  'C:\\Program Files\\nodejs\\npm.CMD',
  'C:\\Program Files\\nodejs\\node.EXE',
  'C:\\tools\\node.EXE',
  'C:\\tools\\run.bat',
  '.\\here.CMD',
]);
const exists = (path: string): boolean => there.has(path);
const FLAGS = ['/d', '/e:on', '/v:off', '/s', '/c'];

describe('a program on Windows', () => {
  it('is found by PATH and PATHEXT, and started by itself where it is no batch file', () => {
    expect(windowsCommand('node', ['a b', '"'], env, exists)).toEqual({
      file: 'C:\\Program Files\\nodejs\\node.EXE',
      args: ['a b', '"'],
      verbatim: false,
    });
    expect(windowsCommand('psql', ['-c'], env, exists)).toEqual({ file: 'psql', args: ['-c'], verbatim: false });
  });

  it('is run by the cmd.exe of the system where it is a batch file', () => {
    expect(windowsCommand('npm', ['run', 'a b'], env, exists)).toEqual({
      file: 'C:\\Windows\\System32\\cmd.exe',
      args: [...FLAGS, '""C:\\Program Files\\nodejs\\npm.CMD" run "a b""'],
      verbatim: true,
    });
    expect(windowsCommand('run.bat', [], env, exists).args.at(-1)).toBe('""C:\\tools\\run.bat""');
    expect(windowsCommand('.\\here', [], env, exists).args.at(-1)).toBe('"".\\here.CMD""');
  });

  it('is not taken from the current folder', () => {
    expect(windowsCommand('here', [], env, exists)).toEqual({ file: 'here', args: [], verbatim: false });
  });
});

/**
 * What cmd.exe makes of a command line, as far as it bears on arguments: variables first, then quotes, outside of which
 * `&|<>^()` are commands; then how the C runtime cuts it into arguments.
 *
 * @throws Error where a character would be a command
 */
function readByCmd(line: string): readonly string[] {
  // `%name%` and `%name:~a,b%` of variables that are there; a `%` that begins none stays.
  const expanded = line.replace(/%(cd|PATH|x)(:~,)?%/gi, (_, _name: string, substring?: string) =>
    substring === undefined ? 'EXPANDED' : '',
  );
  let quoted = false;
  for (const char of expanded) {
    if (char === '"') quoted = !quoted;
    else if (!quoted && '&|<>^()!'.includes(char)) throw new Error(`a command: ${line}`);
  }
  if (quoted) throw new Error(`a quote is open: ${line}`);
  return readByProgram(expanded);
}

/** @see https://learn.microsoft.com/en-us/cpp/c-language/parsing-c-command-line-arguments */
function readByProgram(line: string): readonly string[] {
  const args: string[] = [];
  let at = 0;
  while (at < line.length) {
    let arg = '';
    let quoted = false;
    for (; at < line.length && (quoted || line[at] !== ' '); at += 1) {
      const slashes = /^\\*/.exec(line.slice(at))?.[0].length ?? 0;
      if (slashes > 0 && line[at + slashes] === '"') {
        arg += '\\'.repeat(Math.floor(slashes / 2));
        at += slashes;
        if (slashes % 2 === 1) {
          arg += '"';
          continue;
        }
      }
      if (line[at] !== '"') arg += line[at] as string;
      else if (quoted && line[at + 1] === '"') {
        arg += '"';
        at += 1;
      } else quoted = !quoted;
    }
    args.push(arg);
    at += 1;
  }
  return args;
}

describe('an argument of a batch file', () => {
  it.each([
    ['plain', 'plain'],
    ['', '""'],
    ['a b', '"a b"'],
    ['&calc', '"&calc"'],
    ['"&calc&"', '"""&calc&"""'],
    ['%PATH%', '"%%cd:~,%PATH%%cd:~,%"'],
    ['100%', '"100%%cd:~,%"'],
    ['a^b', '"a^b"'],
    ['!x!', '"!x!"'],
    ['C:\\dir\\', '"C:\\dir\\\\"'],
    ['a\\"b', '"a\\\\""b"'],
  ])('%j is written as %s', (text, written) => {
    expect(batchArgument(text)).toBe(written);
    expect(readByCmd(batchArgument(text))).toEqual([text]);
  });

  it('comes out as it went in, and is never a command, whatever is in it', () => {
    const letters = fc.constantFrom(...'"\\%^&|<>()! \tabcdxPATH:~,=;'.split(''), 'é', '日');
    const args = fc.array(fc.string({ unit: letters, maxLength: 12 }), { maxLength: 4 });
    fc.assert(
      fc.property(args, (given) => {
        expect(readByCmd(given.map((one) => batchArgument(one)).join(' '))).toEqual(given);
      }),
    );
  });

  it('is refused where it holds a line end, which would end the command', () => {
    for (const text of ['a\nb', 'a\rb', 'a\0b'])
      expect(() => batchArgument(text)).toThrow(expect.objectContaining({ code: 'usage' }));
  });
});

/** Flags besides `--json` that may ask for machine output, as other CLIs spell them. */
const SPELLINGS = { output: ['-o', '--output'], format: ['--format'] } as const;

/** Flags that a command may have of its own; they mean machine output only where they are given `json`. */
export const FORMAT_FLAGS = ['output', 'format'] as const;

/** Is it a flag that asks for a format, e.g. `-o`? */
export function isFormatFlag(word: string): boolean {
  return Object.values(SPELLINGS).some((flags: readonly string[]) => flags.includes(word));
}

/**
 * The arguments with every spelling of machine output (`-o json`, `-ojson`, `--output=json`, `--format json`) written as
 * `--json`. What stands behind `--` is another program's and stays.
 *
 * @param kept flags that the command has of its own and reads itself
 */
export function spellJson(argv: readonly string[], kept: readonly string[] = []): string[] {
  const flags: readonly string[] = FORMAT_FLAGS.filter((name) => !kept.includes(name)).flatMap(
    (name) => SPELLINGS[name],
  );
  const spelt: string[] = [];
  for (let index = 0; index < argv.length; index += 1) {
    const word = argv[index] ?? '';
    if (word === '--') return [...spelt, ...argv.slice(index)];
    const apart = flags.includes(word) && argv[index + 1] === 'json';
    const joined = flags.some((flag) => word === `${flag}=json` || (flag === '-o' && word === '-ojson'));
    if (apart) index += 1;
    spelt.push(apart || joined ? '--json' : word);
  }
  return spelt;
}

/** Do the arguments ask for machine output, in any spelling? Answers also where they don't parse. */
export function asksForJson(argv: readonly string[]): boolean {
  const end = argv.indexOf('--');
  return spellJson(end === -1 ? argv : argv.slice(0, end)).includes('--json');
}

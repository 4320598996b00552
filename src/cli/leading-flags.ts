/** Global flags that other CLIs take before the command as well; with whether a value follows. */
const GLOBAL: Readonly<Record<string, boolean>> = {
  '--json': false,
  '--no-color': false,
  '--agent': true,
  '--profile': true,
};

/**
 * The arguments with global flags that stand before the command moved behind its words: `hoop --profile staging ls`.
 * Other flags stay, and so does what stands behind `--`.
 */
export function moveLeadingFlags(argv: readonly string[]): readonly string[] {
  let at = 0;
  while (at < argv.length) {
    const [name = '', value] = (argv[at] ?? '').split(/=(.*)/s);
    if (!Object.hasOwn(GLOBAL, name) || (value !== undefined && GLOBAL[name] !== true)) break;
    at += GLOBAL[name] === true && value === undefined ? 2 : 1;
  }
  const [flags, rest] = [argv.slice(0, at), argv.slice(at)];
  // Alone they ask for help, as no words at all do.
  if (rest.length === 0 || rest[0]?.startsWith('-') === true) return argv;
  const end = rest.indexOf('--');
  return end === -1 ? [...rest, ...flags] : [...rest.slice(0, end), ...flags, ...rest.slice(end)];
}

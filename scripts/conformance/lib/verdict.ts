/** One test of a suite: what came out of it on each way. */
export interface Outcome {
  readonly name: string;
  readonly direct: string | undefined;
  readonly hoop: string | undefined;
}

/** The first line that differs, with its number. */
function firstDifference(direct: string, through: string): string {
  const [one, other] = [direct.split('\n'), through.split('\n')];
  const at = one.findIndex((line, index) => line !== other[index]);
  const line = at === -1 ? one.length : at;
  const show = (text: string | undefined): string => (text === undefined ? '(end)' : text.slice(0, 300));
  return `line ${String(line + 1)}\n    direct: ${show(one[line])}\n    hoop:   ${show(other[line])}`;
}

/**
 * Prints what differs and, as the last line, `N equal, N different`.
 *
 * @returns the exit status: 0 when there were tests and all are equal
 */
export function report(outcomes: readonly Outcome[]): number {
  const different = outcomes.filter(({ direct, hoop }) => direct !== hoop || direct === undefined);
  for (const { name, direct, hoop } of different) {
    const why =
      direct === undefined || hoop === undefined
        ? `did not run ${direct === undefined ? 'direct' : 'through hoop'}`
        : firstDifference(direct, hoop);
    console.log(`different: ${name}: ${why}`);
  }
  console.log(`${String(outcomes.length - different.length)} equal, ${String(different.length)} different`);
  return different.length === 0 && outcomes.length > 0 ? 0 : 1;
}

/** The text with the port of its way named alike: where it stands by itself, not in a longer number. */
export function withoutPort(text: string, port: number): string {
  return text.replace(new RegExp(`(?<!\\d)${String(port)}(?!\\d)`, 'g'), 'PORT');
}

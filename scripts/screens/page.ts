/** A text, and the screen that shows it; what was typed in it stands in the screen. */
export type Part = readonly [text: string, screen: string];

/** A page of screens, as Markdown. */
export function page(title: string, intro: string, parts: readonly Part[]): string {
  const made = 'Captured from real terminals by `npx tsx scripts/screens/capture.ts`.';
  return `${[`# ${title}`, `${intro} ${made}`, ...parts.flatMap(([text, screen]) => [text, block(screen)])].join('\n\n')}\n`;
}

/** A screen as a block of text; ids and ports differ from run to run, and stay as they were. */
function block(screen: string): string {
  // The password of a port is worth nothing once the port is closed; it looks like a leaked one all the same.
  const shown = screen.replace(/(postgresql:\/\/\w+:)[\w-]+@/g, '$1…@');
  const rows = shown.split('\n').map((row) => row.trimEnd());
  while (rows.at(-1) === '') rows.pop();
  return ['```text', ...rows, '```'].join('\n');
}

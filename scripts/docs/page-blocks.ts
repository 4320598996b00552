/** A block of a page that is run, or that says what was to be seen. */
export interface PageBlock {
  /** Of the page, from 1. */
  readonly line: number;
  readonly terminal: string;
  /** Undefined: only something to be seen. */
  readonly commands: string | undefined;
  readonly shows: readonly string[];
  readonly waits: boolean;
  readonly status: number;
  readonly browser: string | undefined;
  readonly needs: string | undefined;
  readonly withinMs: number;
}

const FENCE = /^```(\w+)?[ \t]*(.*)$/;

/**
 * The blocks of a page that are run.
 *
 * @throws Error for a block of commands without a terminal: every one is run; and for a word behind `sh` that means nothing
 */
export function pageBlocks(page: string): PageBlock[] {
  const blocks: PageBlock[] = [];
  const lines = page.split('\n');
  for (let at = 0; at < lines.length; at += 1) {
    const [, language = '', info = ''] = FENCE.exec(lines[at] ?? '') ?? [];
    if (!(lines[at] ?? '').startsWith('```')) continue;
    const start = at + 1;
    const end = lines.indexOf('```', start);
    if (end < 0) throw new Error(`line ${String(start)}: the block does not end`);
    at = end;
    const body = lines.slice(start, end);
    if (language === 'sh') blocks.push(commandBlock(start, info, body.join('\n')));
    else if (language === 'text' && /^shows\b/.test(info)) show(blocks, start, info, body);
  }
  return blocks;
}

const KNOWN = new Set(['terminal', 'waits', 'status', 'browser', 'needs', 'within']);

function commandBlock(line: number, info: string, commands: string): PageBlock {
  const words = wordsOf(info);
  for (const name of words.keys()) if (!KNOWN.has(name)) throw new Error(`line ${String(line)}: what is ${name}?`);
  const terminal = words.get('terminal');
  if (terminal === undefined) throw new Error(`line ${String(line)}: in which terminal is this run?`);
  return {
    line,
    terminal,
    commands,
    shows: [],
    waits: words.has('waits'),
    status: Number(words.get('status') ?? 0),
    browser: words.get('browser'),
    needs: words.get('needs'),
    withinMs: 1_000 * Number.parseInt(words.get('within') ?? '0', 10),
  };
}

function show(blocks: PageBlock[], line: number, info: string, shows: readonly string[]): void {
  const terminal = wordsOf(info).get('terminal');
  const before = blocks.at(-1);
  if (before === undefined) throw new Error(`line ${String(line)}: nothing was run before`);
  if (terminal === undefined) blocks[blocks.length - 1] = { ...before, shows };
  else blocks.push({ ...before, line, terminal, commands: undefined, shows, needs: undefined });
}

function wordsOf(info: string): ReadonlyMap<string, string> {
  return new Map(
    info
      .split(/\s+/)
      .filter((word) => word !== '')
      .map((word) => {
        const [name = '', value = ''] = word.split('=');
        return [name, value] as const;
      }),
  );
}

/** The first line that is not to be seen where it should; undefined where all are. */
export function shownMissing(shows: readonly string[], output: string): string | undefined {
  const lines = output.split('\n').map((line) => line.trimEnd());
  let at = 0;
  for (const wanted of shows) {
    if (wanted.trim() === '…') continue;
    const parts = wanted
      .trimEnd()
      .split('…')
      .map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'));
    const pattern = new RegExp(`^${parts.join('.*')}$`);
    const found = lines.findIndex((line, index) => index >= at && pattern.test(line));
    if (found < 0) return `the line: ${wanted}`;
    at = found + 1;
  }
  return undefined;
}

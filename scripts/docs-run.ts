/**
 * Runs a page of docs/ as a reader would: `npx tsx scripts/docs-run.ts [PAGE…]`. Exits 1 at the first command that fails, or that
 * shows something else than the page does.
 *
 * A block of commands names its terminal behind `sh`: `terminal=alice`. Each terminal is one bash. Besides:
 * `waits` the command goes on; what it shows is waited for · `status=5` the last command's exit status · `browser=alice` does at the
 * identity provider what alice would · `needs=psql` left out where the program is not installed · `within=30s` tried again until then.
 * A block `text shows` says what the block before gave, or with `terminal=` what came in that one since: line by line, in that order,
 * with others between them; `…` is any text. ID and SESSION in a command are what was printed last.
 */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { pageBlocks, shownMissing, type PageBlock } from './docs/page-blocks.js';
import { Terminal } from './docs/terminal.js';
import { approveDevice } from '../src/dev/approve-device.js';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const COMMAND_MS = 60_000;
const LINK = /https?:\/\/\S+user_code=\S+/;
const UUID = '[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}';
/** Words in commands that stand for what was printed before. */
const PRINTED: Readonly<Record<string, RegExp>> = {
  ID: new RegExp(`hoop approve (${UUID})`, 'g'),
  SESSION: new RegExp(`^SESSION .*\\n(${UUID})`, 'gm'),
};

async function runPage(path: string): Promise<void> {
  const blocks = pageBlocks(readFileSync(path, 'utf8'));
  // In a folder of its own: what the page writes is not left in the clone.
  const folder = mkdtempSync(join(tmpdir(), 'hoop-docs-'));
  symlinkSync(join(ROOT, 'bin'), join(folder, 'bin'));
  const terminals = new Map<string, Terminal>();
  const terminalOf = (name: string): Terminal => {
    const known = terminals.get(name) ?? new Terminal(folder);
    terminals.set(name, known);
    return known;
  };
  try {
    for (const block of blocks) await runBlock(block, terminalOf(block.terminal), terminals);
  } finally {
    await Promise.all([...terminals.values()].map((terminal) => terminal.close()));
    rmSync(folder, { recursive: true, force: true });
  }
}

async function runBlock(block: PageBlock, terminal: Terminal, terminals: ReadonlyMap<string, Terminal>): Promise<void> {
  const { commands, line, needs } = block;
  if (needs !== undefined && !isInstalled(needs)) {
    console.error(`line ${String(line)}: left out, since ${needs} is not installed`);
    return;
  }
  if (commands === undefined) {
    await terminal.until(() => shownMissing(block.shows, terminal.sinceCommand), COMMAND_MS, line);
    return;
  }
  console.error(`line ${String(line)} in ${block.terminal}: ${commands.split('\n').at(-1) ?? ''}`);
  const typed = commands.replace(/\b(ID|SESSION)\b/g, (word) => printed(word, terminals) ?? word);
  const end = performance.now() + block.withinMs;
  for (;;) {
    terminal.type(typed);
    if (block.browser !== undefined) await logIn(terminal, block.browser, line);
    if (!block.waits) await terminal.done(COMMAND_MS, line);
    const missing = (): string | undefined => {
      const { status } = terminal;
      if (!block.waits && status !== block.status)
        return `exit status ${String(block.status)}; it was ${String(status)}`;
      return shownMissing(block.shows, terminal.sinceCommand);
    };
    if (block.waits || performance.now() >= end) {
      await terminal.until(missing, block.waits ? COMMAND_MS : 0, line);
      return;
    }
    if (missing() === undefined) return;
  }
}

async function logIn(terminal: Terminal, user: string, line: number): Promise<void> {
  await terminal.until(() => (LINK.test(terminal.sinceCommand) ? undefined : 'a link to log in'), COMMAND_MS, line);
  await approveDevice(LINK.exec(terminal.sinceCommand)?.[0] ?? '', user);
}

/** The newest in any terminal. */
function printed(word: string, terminals: ReadonlyMap<string, Terminal>): string | undefined {
  const pattern = PRINTED[word];
  if (pattern === undefined) return undefined;
  const all = [...terminals.values()].map((terminal) => [...terminal.all.matchAll(pattern)].at(-1)?.[1]);
  return all.findLast((one) => one !== undefined);
}

function isInstalled(program: string): boolean {
  try {
    execFileSync('sh', ['-c', `command -v ${program}`], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

const pages = process.argv.slice(2);
try {
  for (const page of pages.length === 0 ? [join(ROOT, 'docs/getting-started.md')] : pages) await runPage(resolve(page));
  console.error('every command did what the page says');
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}

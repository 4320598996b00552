import { execFile } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import type { RecordedEvent } from '../../src/core/events.js';
import { writeAsciicast } from '../../src/recording/replay/asciicast.js';
import type { ReplayEntry } from '../../src/recording/replay/entry.js';
import { grouped } from '../../src/recording/replay/groups.js';
import { compilePattern, entryMatches, matching } from '../../src/recording/replay/pattern.js';
import { writeSql } from '../../src/recording/replay/sql.js';
import { TerminalFilter } from '../../src/recording/replay/terminal-filter.js';
import { TerminalLines } from '../../src/recording/replay/terminal-lines.js';
import { isInstalled } from '../support/installed.js';
import { END, sessionId, start, statement } from './recorded-session.js';
import { makeFolder } from '../support/folders.js';

const folder = makeFolder('formats');
const run = promisify(execFile);

type Told = RecordedEvent | { type: string; [field: string]: unknown };

/** Each event 100 ms after the one before, or after the pause it names. */
async function* entries(events: readonly (Told & { pauseMs?: number })[]): AsyncGenerator<ReplayEntry> {
  let atMs = Date.parse('2026-11-21T04:30:44Z');
  for (const [index, { pauseMs, ...event }] of events.entries()) {
    atMs += pauseMs ?? 100;
    await Promise.resolve();
    const at = new Date(atMs).toISOString().replace('Z', '000Z');
    yield { event: { prev: '', hash: '', ...event, seq: index + 1, at } };
  }
}

const typed = (data: string, more: Record<string, unknown> = {}): Told => ({
  type: 'tty',
  statement: 1,
  from: 'upstream',
  data,
  ...more,
});

async function cast(events: Parameters<typeof entries>[0], idleLimitMs?: number): Promise<string[]> {
  const lines: string[] = [];
  await writeAsciicast(entries(events), { write: (line) => lines.push(line), idleLimitMs });
  return lines;
}

/** What asciinema itself prints of a cast. */
async function printed(lines: readonly string[]): Promise<string> {
  const file = join(folder, 'session.cast');
  writeFileSync(file, lines.map((line) => `${line}\n`).join(''));
  // Both want a terminal of their own: `script` gives them one, which sends a line end as two characters.
  const onTerminal = async (command: string): Promise<string> =>
    (await run('script', ['-qec', `asciinema ${command} ${file}`, '/dev/null'])).stdout.replaceAll('\r\r\n', '\r\n');
  const [stdout, played] = [await onTerminal('cat'), await onTerminal('play -s 1000')];
  expect(played).toContain(stdout.trim().split('\r\n')[0]);
  return stdout;
}

const HOSTILE =
  '\u001b]0;owned\u0007\u001b]52;c;aGFja2Vk\u0007\u001b]8;;http://evil\u001b\\x\u001b]8;;\u001b\\\u001bP+q544e\u001b\\\u001b[6n\u001b[21t\u001b[5i\u001b[?1003h\u001bc\u009d0;c1\u009c\u0007';

describe('a session as asciicast', () => {
  it.skipIf(!isInstalled('asciinema'))('is played by asciinema: a transcript with its pauses', async () => {
    const session = sessionId();
    const lines = await cast([start(session), ...statement(1), { ...END, pauseMs: 60_000 }]);
    expect(JSON.parse(lines[0]!)).toMatchObject({
      version: 2,
      width: 120,
      height: 32,
      title: `hoop session ${session}`,
    });
    const times = lines.slice(1).map((line) => (JSON.parse(line) as [number])[0]);
    expect(times).toEqual([0, 0.1, 0.2, 0.3, 60.3, 60.3].slice(0, times.length));
    const text = await printed(lines);
    expect(text).toContain('SELECT 1');
    expect(text).toContain('ended ');
  });

  it.skipIf(!isInstalled('asciinema'))('is played by asciinema: a terminal as it was, in its own size', async () => {
    const lines = await cast([
      start(),
      typed('', { columns: 100, rows: 30 }),
      typed('$ ls\r\n\u001b[34mdir\u001b[0m'),
      { ...typed('x'), from: 'client' },
      END,
    ]);
    expect(JSON.parse(lines[0]!)).toMatchObject({ width: 100, height: 30 });
    expect(await printed(lines)).toContain('$ ls\r\n\u001b[34mdir\u001b[0m');
    expect(lines.join('\n')).not.toContain('"x"');
  });

  it('cuts pauses to the limit', async () => {
    const lines = await cast([start(), { ...typed('a'), pauseMs: 90_000 }, { ...typed('b'), pauseMs: 300 }, END], 2000);
    expect(lines.slice(1, 3).map((line) => JSON.parse(line) as unknown)).toEqual([
      [2, 'o', 'a'],
      [2.3, 'o', 'b'],
    ]);
  });

  it('holds nothing that acts beyond the screen', async () => {
    const lines = await cast([start(), typed(`before${HOSTILE}after`), END]);
    const [, , data] = JSON.parse(lines[1]!) as [number, string, string];
    expect(data).toBe('beforex\u001b[0m\u001b[r\u001b[H\u001b[2Jafter');
    const text = await cast([start(), { type: 'statement', statement: 1, text: HOSTILE, via: 'query' }, END]);
    expect(text.join('\n')).not.toMatch(/\\u001b(?!\[\d+(;\d+)*m|\[0m)/);
  });
});

describe('the filter for terminals', () => {
  it('lets through what it lets through however it is cut, and nothing else ever', () => {
    const parts = [
      'a',
      'é',
      '\r\n',
      '\u001b[31m',
      HOSTILE,
      '\u001b[2J',
      '\u001b(0',
      '\u001b]',
      '\u001b',
      '\u0018',
      '\u009b6n',
    ];
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...parts)), fc.array(fc.nat(40)), (texts, cuts) => {
        const whole = texts.join('');
        const kept = new TerminalFilter().push(whole);
        const filter = new TerminalFilter();
        let sliced = '';
        let from = 0;
        for (const cut of cuts) {
          sliced += filter.push(whole.slice(from, from + cut));
          from += cut;
        }
        expect(sliced + filter.push(whole.slice(from))).toBe(kept);
        expect(kept).not.toMatch(/\u001b[\]P_^X]|[\u0080-\u009f\u0007]|\u001b\[[^A-Za-z]*[nctiq]/);
        // What it gave goes through again as it is.
        expect(new TerminalFilter().push(kept)).toBe(kept);
      }),
      { numRuns: 200 },
    );
  });

  it('lets no mode through that locks or changes the keyboard, and gives insert mode back', () => {
    const filter = new TerminalFilter();
    expect(filter.push('\u001b[2h\u001b[20h\u001b[12l\u001b[4;20h\u001b[?2004h\u001b[>4;2m')).toBe('');
    expect(filter.push('\u001b[4hx')).toBe('\u001b[4hx');
    expect(filter.end()).toContain('\u001b[4l');
  });

  it('gives arbitrary text as lines without a control character', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(0x2ff), { maxLength: 60 }), (codes) => {
        const text = String.fromCodePoint(...codes);
        const lines = new TerminalLines();
        const shown = [...lines.push(`${text}\u0018\n`), lines.rest].join('');
        expect(shown).not.toMatch(/[\u0000-\u001f\u007f-\u009f]/);
      }),
      { numRuns: 200 },
    );
  });

  it('gives lines as the screen showed them: corrected, overwritten, without whole-screen programs', () => {
    const lines = new TerminalLines();
    expect(lines.push('$ lz\b\u001b[Ks\r\n10 %\r100 %\n\u001b[?1049hvim\r\n~\u001b[?1049lab')).toEqual([
      '$ ls',
      '100 %',
      '[a program took the whole screen]',
    ]);
    expect(lines.rest).toBe('ab');
  });
});

describe('--grep and --sql', () => {
  const mixed: Told[] = [
    start(),
    { type: 'statement', statement: 1, text: 'SELECT * FROM payments', via: 'query' },
    { type: 'statement', statement: 2, text: 'SELECT 2 -- last', via: 'query' },
    { type: 'decision', statement: 2, action: 'allow', rules: [], policyHash: '' },
    { type: 'decision', statement: 1, action: 'block', rules: ['p/r'], policyHash: '' },
    { type: 'result', statement: 2, tag: 'SELECT 1' },
    { type: 'statement', statement: 3, text: 'UPDATE t SET a = $1', via: 'parse' },
    { type: 'statement', statement: 4, text: 'UPDATE t SET a = $1', via: 'execute', params: ["it's\u001b[2J"] },
    { type: 'result', statement: 4, tag: 'UPDATE 1' },
    END,
  ];

  it('finds statements with all that belongs to them, in their order', async () => {
    const lower: unknown[] = [];
    for await (const { entries: group } of matching(grouped(entries(mixed)), compilePattern('payments|p/r'))) {
      lower.push(group.map(({ event }) => event.type));
    }
    expect(compilePattern('PAYMENTS').matches('payments')).toBe(false);
    expect(lower).toEqual([['session.start'], ['statement', 'decision'], ['session.end']]);
  });

  it('writes what ran as SQL, and what did not behind a comment', async () => {
    const lines: string[] = [];
    await writeSql(grouped(entries(mixed)), (line) => lines.push(line));
    expect(lines.join('\n')).toBe(
      [
        '-- #1 2026-11-21T04:30:44.200000Z blocked by p/r',
        '-- SELECT * FROM payments;',
        '',
        '-- #2 2026-11-21T04:30:44.300000Z',
        'SELECT 2 -- last\n;',
        '',
        '-- #4 2026-11-21T04:30:44.800000Z',
        "-- $1 = it's\\x1b[2J",
        'UPDATE t SET a = $1;',
        '',
      ].join('\n'),
    );
  });

  it('writes no SQL for the recording of an approval, which holds a request in words', async () => {
    const lines: string[] = [];
    const words: Told = { type: 'statement', statement: 0, text: 'access to vault for 1h', via: 'approval' };
    await writeSql(grouped(entries([start(), words, END])), (line) => lines.push(line));
    expect(lines).toEqual([]);
  });

  it('matches texts and numbers of an event, never its hashes, and takes time in proportion to them', async () => {
    const all: ReplayEntry[] = [];
    for await (const one of entries([{ ...start(), hash: 'feed' }])) all.push(one);
    const [entry] = all;
    if (entry === undefined) throw new Error('no entry');
    expect(entryMatches(entry, compilePattern('ann@example'))).toBe(true);
    expect(entryMatches(entry, compilePattern('feed'))).toBe(false);
    expect(compilePattern('(a+)+$').matches(`${'a'.repeat(20_000)}b`)).toBe(false);
    expect(() => compilePattern('(')).toThrow('no regular expression');
  });
});

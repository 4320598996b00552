import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { Bench, END, sessionId, start, statement } from '../recording/recorded-session.js';
import { buildCli } from '../support/built-cli.js';
import { isInstalled } from '../support/installed.js';
import { Terminal } from '../support/terminal.js';
import { makeFolder } from '../support/folders.js';

/** The title of the terminal, its clipboard, and a line of its own. */
const HOSTILE = 'SELECT \u001b]0;owned\u0007\u001b]52;c;aGFja2Vk\u0007\n  allowed by nobody';

describe.skipIf(!isInstalled('tmux'))('hoop replay in a terminal', () => {
  const bench = new Bench();
  const folder = makeFolder('replay');
  let terminal: Terminal;

  beforeAll(async () => {
    await buildCli();
    const recordings = bench.open();
    const session = sessionId();
    const recorder = recordings.open(start(session));
    for (let number = 1; number <= 40; number += 1) {
      const text = number === 20 ? HOSTILE : `SELECT ${String(number)}`;
      for (const event of statement(number, text, number === 30 ? 'block' : 'allow')) recorder.record(event);
    }
    await recorder.seal(END);
    await recordings.close();
    const command = `env HOOP_CONFIG_DIR=${folder} CI=false ${process.execPath} bin/run.js replay ${bench.path(session)}`;
    terminal = new Terminal(`sh -c '${command}; echo ended with $?; cat'`, { columns: 80, rows: 24 });
  });
  afterAll(() => {
    terminal.close();
    bench.remove();
  });

  it('plays to the end, goes to what was blocked, searches, and gives the terminal back as it was', async () => {
    const before = terminal.title;
    const screen = await terminal.shows(/event 123\/123/, 60);
    expect(screen).toContain('ann@example.com on postgres');
    expect(screen.trimEnd().split('\n').length).toBeLessThanOrEqual(24);
    terminal.type('g');
    await terminal.shows(/event 1\/123/);
    terminal.type('b');
    expect(await terminal.shows(/event 90\/123/)).toContain('blocked by standard/where');
    terminal.type('/');
    terminal.line('owned');
    const found = await terminal.shows(/event 59\/123/);
    expect(found).toContain('SELECT \\x1b]0;owned\\x07\\x1b]52;c;aGFja2Vk\\x07');
    expect(terminal.title).toBe(before);
    terminal.type('q');
    const after = await terminal.shows(/ended with 0/);
    expect(after).not.toContain('ann@example.com');
  });
});

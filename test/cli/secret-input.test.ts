import { fileURLToPath } from 'node:url';
import { afterEach, describe, expect, it } from 'vitest';
import { hasTmux, Terminal } from '../support/terminal.js';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const PATIENCE_S = 60;

let terminal: Terminal | undefined;
afterEach(() => terminal?.close());

/** A shell line that asks for a secret, then tells how long it was and how the program ended. */
function asking(): Terminal {
  const program = `import('${ROOT}src/cli/secret-input.ts').then(({ readSecretInput }) => readSecretInput('Value: ')).then((value) => console.log('length', value.length))`;
  const script = `"${process.execPath}" --import tsx -e "${program}"; echo "ended with $?"; exec sleep 600`;
  return new Terminal(`cd '${ROOT}' && exec bash --norc -c '${script.replaceAll("'", `'\\''`)}'`);
}

describe.skipIf(!hasTmux())('a secret typed at a terminal', () => {
  it('is not shown, and ends with Enter; a key taken back does not count', async () => {
    terminal = asking();
    await terminal.shows(/^Value:/m, PATIENCE_S);
    terminal.text('planted-9x');
    terminal.type('BSpace', 'Enter');
    const seen = await terminal.shows(/ended with 0/, PATIENCE_S);
    expect(seen).toContain('length 9');
    expect(seen).not.toContain('planted');
  });

  it('is given up with Ctrl-C as any program is: by the signal, exit status 130, and without a word', async () => {
    terminal = asking();
    await terminal.shows(/^Value:/m, PATIENCE_S);
    terminal.text('planted');
    terminal.type('C-c');
    const seen = await terminal.shows(/ended with \d+/, PATIENCE_S);
    expect(seen).toMatch(/^Value:\s*ended with 130\s*$/);
  });
});

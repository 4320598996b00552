import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { missingPostgres } from '../support/postgres-server.js';
import { ScreenStage } from '../support/screens.js';
import { hasTmux } from '../support/terminal.js';

const missing = missingPostgres() ?? (hasTmux() ? undefined : 'tmux is not installed');
const PATIENCE_S = 60;
const PATIENCE_MS = 240_000;

describe.skipIf(missing !== undefined)(
  `screens in real terminals${missing === undefined ? '' : ` (skipped: ${missing})`}`,
  () => {
    let stage: ScreenStage;
    beforeAll(async () => {
      stage = await ScreenStage.open(1);
    }, PATIENCE_MS);
    afterAll(() => stage.close());

    it(
      'a statement typed in psql is read and approved in hoop approve, which then gives the terminal back',
      async () => {
        const bob = await stage.terminal({ subject: 'bob', groups: ['dba'] }, 'approve');
        await bob.shows(/● live/, PATIENCE_S);
        expect(bob.alternate).toBe(true);
        const { port } = await stage.agent.port();
        const psql = await stage.psql(`postgresql://ann@127.0.0.1:${String(port)}/${stage.agent.database}`);
        await psql.shows(/=> ?$/m, PATIENCE_S);
        // Typed by somebody who wants to act on the reviewer's terminal.
        psql.text("UPDATE payments SET amount = 7 WHERE id = 1 AND 'x\u009b2J\u202e' <> ''");
        psql.text(';');
        psql.type('Enter');
        const read = await bob.shows(/1 waits for you[^]*\\x9b2J\\u202e/, PATIENCE_S);
        expect(read).toContain('ann@example.test');
        bob.resize(60, 20);
        await bob.shows(/ann@example\.test/, PATIENCE_S);
        bob.resize(100, 30);
        await bob.shows(/│ .*\\x9b2J/, PATIENCE_S);
        bob.type('a');
        await bob.shows(/approve this of ann/, PATIENCE_S);
        await new Promise((resolve) => setTimeout(resolve, 400));
        bob.type('y');
        await psql.shows(/UPDATE 1/, PATIENCE_S);
        bob.type('q');
        await bob.shows(/ended with 0/, PATIENCE_S);
        expect(bob.alternate).toBe(false);
      },
      PATIENCE_MS,
    );
  },
);

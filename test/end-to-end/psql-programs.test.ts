import { createHash } from 'node:crypto';
import { chmod, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openLocalPostgres, type LocalPostgres, type PsqlEnd } from '../support/local-postgres.js';
import { missingPostgres } from '../support/postgres-server.js';
import { makeFolder } from '../support/folders.js';

const missing = missingPostgres();

const md5 = (bytes: Uint8Array): string => createHash('md5').update(bytes).digest('hex');

describe.skipIf(missing !== undefined)(
  `what psql can do, through a local port${missing === undefined ? '' : ` (skipped: ${missing})`}`,
  () => {
    let local: LocalPostgres;
    let folder: string;
    beforeAll(async () => {
      local = await openLocalPostgres();
      folder = makeFolder('psql');
      await chmod(folder, 0o777);
    });
    afterAll(async () => {
      await local.close();
    });

    /** Prints, byte for byte, what it prints past hoop. */
    async function asDirect(script: string, args: readonly string[] = []): Promise<string> {
      const through = await local.psql(script, { args });
      const direct = await local.psqlDirect(script, { args });
      const told = ({ status, stdout, stderr }: PsqlEnd) => ({ status, stdout: stdout.toString(), stderr });
      expect(told(through)).toEqual(told(direct));
      expect(through.status).toBe(0);
      return through.stdout.toString();
    }

    it('\\gset and \\gexec use what a statement gave', async () => {
      const script = `select 6 as six, 'a''b' as text \\gset\nselect :six * 7 as answer, :'text';\nselect 'select ' || n from generate_series(1, 3) n \\gexec\n`;
      expect(await asDirect(script, ['-A', '-t'])).toBe("42|a'b\n1\n2\n3\n");
    });

    it('FETCH_COUNT 7 reads 1,000 rows by a cursor, in the same order and widths', async () => {
      const script = `\\set FETCH_COUNT 7\nselect n, repeat('x', n % 13) from generate_series(1, 1000) n;\n`;
      expect((await asDirect(script, ['-A', '-t'])).split('\n')).toHaveLength(1_001);
    });

    it('\\crosstabview, \\gdesc, PREPARE and EXECUTE, and \\d of a table', async () => {
      await asDirect(
        `select 1 as a, 'x' as b, 2 as c \\crosstabview a b c\nselect 1::numeric(9,2) as n, now() as t \\gdesc\nprepare p(int) as select $1 + 1;\nexecute p(41);\n\\d customers\n\\dt\n\\df lower\n\\l\n`,
      );
    });

    it('\\watch runs a statement again until Ctrl-C ends it', async () => {
      const { stdout } = await local.psql(`select 'tick' \\watch 0.05\n`, {
        args: ['-A', '-t'],
        onStart: (child) => {
          let seen = '';
          child.stdout.on('data', (part: Buffer) => {
            seen += part.toString();
            if (seen.split('tick').length > 4) child.kill('SIGINT');
          });
        },
      });
      expect(stdout.toString().split('tick').length).toBeGreaterThan(4);
    });

    it.each(['text', 'csv', 'binary'])(
      '\\copy in %s: out is the same bytes as direct, and in again the same rows',
      async (format) => {
        const source = `select n, 'né, "q" \\' || n, null::text, decode(lpad(to_hex(n), 8, '0'), 'hex') from generate_series(1, 2000) n`;
        const [one, two] = [join(folder, `through.${format}`), join(folder, `direct.${format}`)];
        const out = (path: string): string => `\\copy (${source}) to '${path}' (format ${format})\n`;
        expect((await local.psql(out(one))).stderr).toBe('');
        expect((await local.psqlDirect(out(two))).stderr).toBe('');
        expect(md5(await readFile(one))).toBe(md5(await readFile(two)));
        const back = `create temp table t (n int, a text, b text, c bytea);\n\\copy t from '${one}' (format ${format})\nselect count(*), (select count(*) from (table t except ${source}) x) from t;\n`;
        expect(await asDirect(back, ['-A', '-t'])).toBe('2000|0\n');
      },
    );

    it('\\lo_import and \\lo_export give 300,001 B back as they were', async () => {
      const bytes = Buffer.from(Uint8Array.from({ length: 300_001 }, (_, at) => (at * 7 + (at >> 8)) & 0xff));
      const [there, back] = [join(folder, 'there'), join(folder, 'back')];
      await writeFile(there, bytes);
      const { status, stderr } = await local.psql(
        `\\lo_import '${there}'\n\\lo_export :LASTOID '${back}'\n\\lo_unlink :LASTOID\n`,
      );
      expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
      expect(md5(await readFile(back))).toBe(md5(bytes));
    });

    it('one cell of 100 MiB arrives whole', async () => {
      const bytes = 100 << 20;
      const { status, stdout } = await local.psql(`select repeat('0123456789abcdef', ${String(bytes / 16)})\n;`, {
        args: ['-A', '-t'],
      });
      expect(status).toBe(0);
      expect(md5(stdout)).toBe(md5(Buffer.concat([Buffer.alloc(bytes, '0123456789abcdef'), Buffer.from('\n')])));
    });
  },
);

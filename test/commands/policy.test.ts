import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { inFolder, SHOP, SHOP_TESTS } from '../cli/policy/policy-folder.js';
import { buildCli, runHoop, type Finished } from '../support/built-cli.js';

beforeAll(buildCli);

function policy(args: readonly string[], dir: string, stdin = ''): Promise<Finished> {
  return runHoop(['policy', ...args], { HOOP_CONFIG_DIR: join(dir, 'none') }, stdin);
}

const WITH_TEST = { 'shop.yaml': SHOP, 'shop.test.yaml': `${SHOP_TESTS}    - { sql: DROP TABLE x, expect: block }\n` };

describe('hoop policy', () => {
  it('validate exits 0 for files that hold, and 1 with places on stdout for files that do not', async () => {
    await inFolder(WITH_TEST, async (dir) => {
      const good = await policy(['validate', dir, '--json'], dir);
      expect(good.status).toBe(0);
      expect(JSON.parse(good.stdout)).toMatchObject({ valid: true, policies: 1, rules: 4, masks: 3, tests: 1 });
      await writeFile(join(dir, 'shop.yaml'), SHOP.replace('sql.effects', 'sql.effect'));
      const bad = await policy(['validate', dir], dir);
      expect([bad.status, bad.stdout.split('\n')[2]?.trim()]).toEqual([1, `| ${' '.repeat(44)}^`]);
      expect(bad.stdout).toContain('shop.yaml:7:45: prod/no-drop: unknown fact `effect`; did you mean `effects`?');
      expect(bad.stderr).toContain('error: the resource files have a fault');
      const json = await policy(['validate', dir, '--json'], dir);
      expect([json.status, json.stderr]).toEqual([1, '']);
      expect(JSON.parse(json.stdout)).toMatchObject({ valid: false, faults: [{ line: 7, column: 45 }] });
    });
  });

  it('test writes TAP where nobody looks on, exits 1 where a test fails or coverage is required and lacks', async () => {
    await inFolder(WITH_TEST, async (dir) => {
      const good = await policy(['test', dir], dir);
      expect([good.status, good.stdout.split('\n')[2]]).toEqual([0, 'ok 1 - shop: DROP TABLE x']);
      expect((await policy(['test', dir, '--coverage-required'], dir)).status).toBe(1);
      await writeFile(
        join(dir, 'shop.test.yaml'),
        WITH_TEST['shop.test.yaml'].replace('expect: block', 'expect: allow'),
      );
      const bad = await policy(['test', dir, '--json'], dir);
      expect([bad.status, bad.stderr]).toEqual([1, '']);
      expect(JSON.parse(bad.stdout)).toMatchObject({ passed: 0, failed: 1, tests: [{ ok: false, line: 15 }] });
    });
  });

  it('explain takes a statement from its flag, a file or standard input', async () => {
    await inFolder({ ...WITH_TEST, 'q.sql': 'DROP TABLE x' }, async (dir) => {
      const common = ['explain', 'shop', '--config', dir, '--groups', 'eng', '--json'];
      for (const [args, stdin] of [
        [['-i', 'DROP TABLE x'], ''],
        [['-f', join(dir, 'q.sql')], ''],
        [[], 'DROP TABLE x'],
      ] as const) {
        const { status, stdout } = await policy([...common, ...args], dir, stdin);
        expect([status, (JSON.parse(stdout) as { decision: unknown }).decision]).toMatchObject([
          0,
          { action: 'block', rule: 'prod/no-drop' },
        ]);
      }
    });
  });

  it('backtest needs a folder of recordings that is there, and schema a kind that is one', async () => {
    await inFolder(WITH_TEST, async (dir) => {
      const missing = await policy(['backtest', dir, '--recordings', join(dir, 'none')], dir);
      expect([missing.status, missing.stdout]).toEqual([1, '']);
      const empty = await policy(['backtest', dir, '--recordings', dir, '--fail-on-change', '--json'], dir);
      expect([empty.status, JSON.parse(empty.stdout)]).toMatchObject([0, { judged: 0, changes: [] }]);
      expect((await policy(['schema', 'Polcy'], dir)).status).toBe(2);
      const schema = await policy(['schema', 'policy'], dir);
      expect(JSON.parse(schema.stdout)).toMatchObject({ title: 'hoop/v1 Policy' });
    });
  });
});

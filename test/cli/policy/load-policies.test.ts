import { describe, expect, it } from 'vitest';
import { faultTexts, loadPolicies, readPolicies } from '../../../src/cli/policy/load-policies.js';
import { inFolder, SHOP, SHOP_TESTS } from './policy-folder.js';

/** What `hoop policy validate` shows, the folder taken off. */
async function shown(files: Readonly<Record<string, string>>): Promise<string> {
  return inFolder(files, async (dir) => {
    const read = await readPolicies(dir, {});
    const texts = 'faults' in read ? await faultTexts(read.faults) : ['valid'];
    return texts.join('\n').replaceAll(`${dir}/`, '').replaceAll(dir, '.');
  });
}

const policy = (rule: string): string =>
  `apiVersion: hoop/v1\nkind: Policy\nmetadata: { name: p }\nspec:\n  rules:\n    - ${rule}\n`;

describe('policy validate', () => {
  it('takes files without an Agent or IdentityProvider', async () => {
    expect(await shown({ 'shop.yaml': SHOP })).toBe('valid');
  });

  it('puts a caret under the word that is wrong, inside of a condition too', async () => {
    expect(await shown({ 'p.yaml': policy(`{ name: r, when: '"drop" in sql.efects', action: block }`) })).toBe(
      [
        'p.yaml:6:39: p/r: unknown fact `efects`; did you mean `effects`?',
        `  6 |     - { name: r, when: '"drop" in sql.efects', action: block }`,
        `    |                                       ^`,
      ].join('\n'),
    );
  });

  it('tells every fault of every file', async () => {
    const text = await shown({
      'a.yaml': policy('{ name: r, when: "true", action: deny }'),
      'b.yaml': policy('{ nam: r, when: "true", action: block }'),
    });
    expect(text).toContain('a.yaml:6:40: `spec.rules[0].action`: expected one of block, approve, warn, allow');
    expect(text).toContain('b.yaml:6:9: unknown key `nam`; did you mean `name`?');
  });

  it('shows the part of a long line around the place', async () => {
    const [, line = '', caret = ''] = (
      await shown({ 'p.yaml': policy(`{ name: r, message: '${'x'.repeat(300)}', when: "true", action: deny }`) })
    ).split('\n');
    expect(line).toMatch(/^ {2}6 \| …x{20,}.*action: deny }$/);
    expect(line.slice(caret.length - 1)).toMatch(/^deny/);
  });

  it('finds nothing below a folder without resource files, and says so', async () => {
    expect(await shown({ 'notes.txt': 'x' })).toBe('.:1:1: no resource file below it');
    expect(await shown({ 'empty.yaml': '# nothing yet\n' })).toBe('.:1:1: no resource file below it');
  });

  it('checks files of tests: names of rules, masks and connections, and what may stand in them', async () => {
    const tests = `${SHOP_TESTS}    - { sql: SELECT 1, expect: block, rule: prod/no-dorp }
    - { text: x, expect: mask, mask: pie, connection: shp }
    - { sql: SELECT 1, expect: allow, rows: [{ a: 1 }] }
`;
    const text = await shown({ 'shop.yaml': SHOP, 'shop.test.yaml': tests.replace(/.*rows.*\n/, '') });
    expect(text).toContain('there is no rule `prod/no-dorp`; did you mean `prod/no-drop`?');
    expect(text).toContain('there is no mask `pie`');
    expect(text).toContain('there is no Connection `shp`; did you mean `shop`?');
    expect(await shown({ 'shop.yaml': SHOP, 'shop.test.yaml': tests })).toContain(
      '`rows` and `output` belong together',
    );
  });

  it('lets nothing that is in force hide among tests, nor tests among what is in force', async () => {
    expect(await shown({ 'p.test.yaml': policy('{ name: r, when: "true", action: block }') })).toContain(
      'a file that is named *.test.yaml holds resources of kind PolicyTest alone',
    );
    expect(await shown({ 'p.yaml': `${SHOP_TESTS}    - { sql: SELECT 1, expect: allow }\n` })).toContain(
      'kind `PolicyTest` belongs in a file that is named *.test.yaml',
    );
  });

  it('is the failure of commands that need the files to hold', async () => {
    await inFolder({ 'p.yaml': policy('{ name: r, when: "true", action: deny }') }, async (dir) => {
      await expect(loadPolicies(dir, {})).rejects.toMatchObject({ code: 'config_invalid', exitStatus: 1 });
    });
  });
});

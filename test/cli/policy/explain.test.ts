import { describe, expect, it } from 'vitest';
import { createColours } from '../../../src/cli/colours.js';
import { explain, type Explanation, type ExplainRequest } from '../../../src/cli/policy/explain.js';
import { explanationText } from '../../../src/cli/policy/explain-text.js';
import { givenUser } from '../../../src/cli/policy/explain-flags.js';
import { loadPolicies } from '../../../src/cli/policy/load-policies.js';
import { inFolder, SHOP, SHOP_TESTS } from './policy-folder.js';

const NONE = { at: '2026-11-28T10:00:00Z', from: '10.0.0.1', type: undefined };

function explained(request: Partial<ExplainRequest> & Pick<ExplainRequest, 'input'>, tests = ''): Promise<Explanation> {
  const files = { 'shop.yaml': SHOP, ...(tests === '' ? {} : { 'shop.test.yaml': SHOP_TESTS + tests }) };
  return inFolder(files, async (dir) => {
    const loaded = await loadPolicies(dir, {});
    return explain(loaded.resources, loaded.tests, {
      connection: 'shop',
      user: { groups: ['eng'] },
      ...NONE,
      ...request,
    });
  });
}

const text = (explanation: Explanation): string =>
  explanationText(explanation, createColours({ stream: 'stdout', noColor: true, env: {} }));

describe('policy explain', () => {
  it('tells verdict, facts, why of each rule, flow and credential of a statement', async () => {
    const shown = text(await explained({ input: 'UPDATE t SET a = 1 WHERE b = 2' }));
    expect(shown).toContain('approve by prod/weekend: needs approval\nsomeone (eng) on shop (postgres)');
    expect(shown).toMatch(/├─ writes +t\n/);
    expect(shown).toContain(
      '├─ prod/no-drop  block  did not match\n│  └─ "drop" in sql.effects  is false\n│     └─ sql.effects = ["update"]',
    );
    expect(shown).toContain('└─ prod/admin  block  not tried: there is no http');
    expect(shown).toContain('flow\n└─ dba  waits 300 s; an approval covers one statement\n   └─ 2 of dba');
    expect(shown).toContain('credential\n└─ shop_app');
    expect(shown).toContain('views and functions are not followed');
  });

  it('tells that a masked value would be written back', async () => {
    const found = await explained({ input: "UPDATE customers SET ssn = '[ssn]' WHERE id = 1" });
    expect(found.decision.action).toBe('block');
    expect(text(found)).toContain('the value for customers.ssn is what mask ssn shows');
    expect((await explained({ input: "UPDATE customers SET ssn = '517-26-5081' WHERE id = 1" })).inference).toEqual([]);
  });

  it('follows columns to their masks, and functions, where tests describe the database', async () => {
    const tests = '    - { sql: SELECT 1, expect: allow }\n';
    const found = await explained({ input: 'SELECT number AS n, email, lower(number) AS l FROM contacts' }, tests);
    expect(found.columns.map(({ column, mask }) => [column, mask])).toEqual([
      ['n', 'prod/ssn'],
      ['email', undefined],
      ['l', 'prod/ssn'],
    ]);
    expect(text(found)).toContain(
      '│  ├─ column n of the result\n│  ├─ column l of the result\n│  └─ of *.customers.ssn',
    );
    expect((await explained({ input: 'SELECT purge()' }, tests)).decision).toMatchObject({ action: 'block' });
    const refused = await explained({ input: "SELECT 1 FROM customers WHERE ssn LIKE '1%'" }, tests);
    expect(refused.decision.rule).toBe('prod/ssn');
    expect(text(refused)).toContain('refused  prod/ssn: ');
  });

  it('says who gets which credential, and who may not use the connection', async () => {
    const dba = await explained({ input: 'SELECT 1', user: { groups: ['eng', 'dba'] } });
    expect(dba.access).toEqual({ allowed: true, credential: 'shop_admin' });
    const other = await explained({ input: 'SELECT 1', user: { groups: ['sales'] } });
    expect(other.access?.allowed).toBe(false);
    expect(other.rules).toEqual([]);
    expect(text(other)).toContain('none: the caller may not use this connection');
  });

  it.each([
    ['as `hoop exec` takes it', 'POST /admin/users {"a":1}'],
    ['as JSON with its parts', '{"method":"POST","path":"/admin/users","headers":{"x-a":"b"},"body":{"a":1}}'],
  ])('takes a request %s', async (_what, input) => {
    const found = await explained({ connection: 'crm', input });
    expect(found.facts.http).toMatchObject({ method: 'POST', path: '/admin/users', json: { a: 1 } });
    expect(found.decision).toMatchObject({ action: 'block', rule: 'prod/admin' });
  });

  it('names the nearest connection where there is none of the name, and refuses what never reaches policy', async () => {
    await expect(explained({ connection: 'shpo', input: 'SELECT 1' })).rejects.toMatchObject({
      code: 'not_found',
      why: 'did you mean shop?',
    });
    await expect(explained({ connection: 'crm', input: 'GET /a/../admin' })).rejects.toMatchObject({ code: 'http' });
  });

  it('escapes what a statement holds', async () => {
    expect(text(await explained({ input: "SELECT '\u001b[2J'" }))).not.toContain('\u001b');
  });
});

describe('the caller on the command line', () => {
  it('is an address or a subject, groups by comma, attributes by name', () => {
    expect(givenUser({ as: 'ann@example.com', groups: 'a, b', attribute: ['purpose=x=y'] })).toEqual({
      subject: 'ann@example.com',
      email: 'ann@example.com',
      groups: ['a', 'b'],
      attributes: { purpose: 'x=y' },
    });
    expect(() => givenUser({ attribute: ['=x'] })).toThrow('NAME=VALUE');
  });
});

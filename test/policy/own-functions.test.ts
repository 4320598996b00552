import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { compileExpression } from '../../src/policy/expression.js';
import { isInRange } from '../../src/policy/ip-range.js';
import { bindFacts } from '../../src/policy/bound-facts.js';
import { decide } from '../../src/policy/decide.js';
import { contextOf, policy, setOf, sqlFacts } from './policy-fixtures.js';

function holds(when: string, changes: { nowMs?: number; clientAddress?: string } = {}): boolean {
  const compiled = compileExpression(when);
  if ('fault' in compiled) throw new Error(compiled.fault.message);
  const { nowMs, ...session } = changes;
  const context = contextOf();
  const bound = bindFacts(
    { ...context, nowMs: nowMs ?? context.nowMs, session: { ...context.session, ...session } },
    sqlFacts({ text: 'SELECT 1' }),
  );
  return compiled.expression.evaluate(bound);
}

function faultOf(when: string): unknown {
  const compiled = compileExpression(when);
  return 'fault' in compiled ? compiled.fault : undefined;
}

describe('timeOfDay and weekday', () => {
  // Sunday, 29 March 2026: clocks in Berlin go from 02:00 to 03:00 at 01:00 UTC.
  const before = Date.UTC(2026, 2, 29, 0, 59);
  const after = Date.UTC(2026, 2, 29, 1, 0);

  it('tell the time of the zone, over a change of its clocks too', () => {
    expect(holds('timeOfDay(now, "Europe/Berlin") == "01:59"', { nowMs: before })).toBe(true);
    expect(holds('timeOfDay(now, "Europe/Berlin") == "03:00"', { nowMs: after })).toBe(true);
    expect(holds('timeOfDay(now, "UTC") == "01:00"', { nowMs: after })).toBe(true);
    expect(holds('timeOfDay(now, "UTC") == "00:00"', { nowMs: Date.UTC(2026, 0, 1) })).toBe(true);
  });

  it('tell the day of the zone: 23:30 on Saturday in New York is Sunday in UTC', () => {
    const nowMs = Date.UTC(2026, 2, 29, 3, 30);
    expect(holds('weekday(now, "America/New_York") == "sat" && weekday(now, "UTC") == "sun"', { nowMs })).toBe(true);
    expect(holds('timeOfDay(now, "America/New_York") >= "23:00"', { nowMs })).toBe(true);
    expect(holds('weekday(session.startedAt, "UTC") == "sun"')).toBe(true);
  });

  it('refuse a zone that does not exist, or is no literal, where it stands', () => {
    expect(faultOf('weekday(now, "Europe/Berlim") == "sat"')).toMatchObject({ offset: 13 });
    expect(faultOf('timeOfDay(now, user.email) == "09:00"')).toMatchObject({
      message: expect.stringContaining('time zone') as string,
    });
  });
});

describe('inRange', () => {
  it.each([
    ['10.1.2.3', '10.0.0.0/8', true],
    ['11.1.2.3', '10.0.0.0/8', false],
    ['192.168.1.129', '192.168.1.128/25', true],
    ['192.168.1.127', '192.168.1.128/25', false],
    ['10.0.0.1', '10.0.0.1', true],
    ['8.8.8.8', '0.0.0.0/0', true],
    ['::ffff:10.0.0.1', '10.0.0.0/8', true],
    ['::ffff:a00:1', '10.0.0.0/8', true],
    ['10.0.0.1', '::ffff:10.0.0.0/104', true],
    ['2001:db8::1', '2001:db8::/32', true],
    ['2001:db9::1', '2001:db8::/32', false],
    ['2001:db8:0:0:0:0:0:1', '2001:db8::1', true],
    ['::1', '10.0.0.0/8', false],
    ['10.0.0.1', '::/0', false],
    ['', '10.0.0.0/8', undefined],
    ['10.0.0.01', '10.0.0.0/8', undefined],
    ['10.0.0', '10.0.0.0/8', undefined],
    ['1::2::3', '::/0', undefined],
    ['10.0.0.1', '10.0.0.0/33', undefined],
    ['10.0.0.1', '10.0.0.0/', undefined],
  ])('%s in %s is %s', (address, range, expected) => {
    expect(isInRange(address, range)).toBe(expected);
  });

  it('takes one range or several', () => {
    const clientAddress = '::ffff:192.0.2.7';
    expect(holds('inRange(session.clientAddress, ["10.0.0.0/8", "192.0.2.0/24"])', { clientAddress })).toBe(true);
    expect(holds('inRange(session.clientAddress, "10.0.0.0/8")', { clientAddress })).toBe(false);
  });

  it('refuses a range that is none where it stands', () => {
    expect(faultOf('inRange(session.clientAddress, ["10.0.0.0/8", "10.0.0.0/99"])')).toMatchObject({ offset: 46 });
  });

  it('blocks where the address is not known, whatever the action of the rule', () => {
    const set = setOf(
      policy('p', {
        rules: [{ name: 'office', when: 'inRange(session.clientAddress, "10.0.0.0/8")', action: 'warn' }],
      }),
    );
    expect(decide(set, contextOf(), sqlFacts())).toMatchObject({ action: 'block', rule: 'p/office' });
  });
});

describe('glob', () => {
  it('takes `*` for any run of characters, and every other as itself', () => {
    expect(holds('glob(connection.name, "post*") && !glob(connection.name, "Post*")')).toBe(true);
    expect(holds('glob("a.b", "a?b")')).toBe(false);
    expect(holds('["x_tmp", "y"].exists(t, glob(t, "*_tmp"))')).toBe(true);
  });

  it('refuses a pattern of more than 1,000 characters, and one that is no literal', () => {
    expect(faultOf(`glob(sql.text, "${'*'.repeat(1001)}")`)).toMatchObject({ offset: 15 });
    expect(faultOf('glob(sql.text, sql.text)')).toMatchObject({ offset: 15 });
  });
});

describe('docs/policies.md', () => {
  it('shows an example of each of the 4 functions, and each compiles', () => {
    const page = readFileSync(new URL('../../docs/policies.md', import.meta.url), 'utf8');
    const rows = [...page.matchAll(/^\| `(\w+)\([A-Za-z, ]+\)` \|.*\| `(.+)` \|$/gm)];
    expect(rows.map(([, name]) => name)).toEqual(['timeOfDay', 'weekday', 'inRange', 'glob']);
    for (const [, name, example] of rows) expect([name, faultOf(example ?? '')]).toEqual([name, undefined]);
  });
});

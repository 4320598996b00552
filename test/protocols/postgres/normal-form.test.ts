import { beforeAll, describe, expect, it } from 'vitest';
import { loadGrammar } from '../../../src/protocols/postgres/facts/analyze.js';
import { normalForm } from '../../../src/protocols/postgres/facts/normal-form.js';

beforeAll(loadGrammar);

const BASE = "update payments set amount = 12 where id = 7 and note = 'it''s'";

describe('the normal form of a statement', () => {
  it.each([
    ['spaces and lines', "update  payments\n  set amount = 12\twhere id = 7 and note = 'it''s'"],
    ['comments', "/* ticket /* 17 */ */ update payments set amount = 12 -- now\nwhere id = 7 and note = 'it''s'"],
    ['case of keywords and names', "UPDATE Payments SET amount = 12 WHERE ID = 7 AND note = 'it''s'"],
    ['quotes that change nothing', `update "payments" set "amount" = 12 where id = 7 and note = 'it''s'`],
    ['a semicolon', `${BASE};`],
  ])('is the same for other %s', (_what, text) => {
    expect(normalForm(text)).toBe(normalForm(BASE));
  });

  it.each([
    ['value', BASE.replace('12', '13')],
    ['table', BASE.replace('payments', 'public.payments')],
    ['case inside quotes', BASE.replace('payments', '"Payments"')],
    ['condition', BASE.replace('and', 'or')],
    ['space inside a string', BASE.replace("it''s", "it'' s")],
    ['further statement', `${BASE}; select 1`],
    ['type of a value', BASE.replace('= 12', "= '12'")],
  ])('differs for another %s', (_what, text) => {
    expect(normalForm(text)).not.toBe(normalForm(BASE));
  });

  it('keeps a location that is a path', () => {
    expect(normalForm("create tablespace t location '/a'")).not.toBe(normalForm("create tablespace t location '/b'"));
  });

  it.each([
    ['does not parse', 'selec 1'],
    ['holds a backslash', String.raw`select 'a\' /* ', 1 /* */`],
    ['is over 64 KiB', `select '${'x'.repeat(64 * 1024)}'`],
  ])('is the text where it %s', (_what, text) => {
    expect(normalForm(text)).toBe(JSON.stringify({ text }));
    expect(normalForm(`${text} `)).not.toBe(normalForm(text));
  });
});

import { describe, expect, it } from 'vitest';
import { canBeShown, withPseudonyms } from '../../../../src/protocols/postgres/originals/plan-text.js';

const EMAIL = "mar'ta\\k@example.com";
const SWAPS = [
  { original: EMAIL, pseudonym: 'u_1@masked.invalid' },
  { original: '99', pseudonym: '47' },
  { original: '1980-01-02', pseudonym: '1951-11-30' },
];

const SPELLED: Readonly<Record<string, string>> = {
  [`  Filter: (email = 'mar''ta\\k@example.com'::text)`]: `  Filter: (email = 'u_1@masked.invalid'::text)`,
  [`  Filter: (email = 'mar''ta\\\\k@example.com'::text)`]: `  Filter: (email = 'u_1@masked.invalid'::text)`,
  [`  Filter: (email = ANY ('{x,"mar''ta\\\\k@example.com"}'::text[]))`]: `  Filter: (email = ANY ('{x,"u_1@masked.invalid"}'::text[]))`,
  [`  "Filter": "(email = 'mar''ta\\\\k@example.com'::text)",`]: `  "Filter": "(email = 'u_1@masked.invalid'::text)",`,
  [`  Filter: (lower(email) = 'mar''ta\\k@example.com'::text)`]: `  Filter: (lower(email) = 'u_1@masked.invalid'::text)`,
  [`  Filter: (upper(email) = 'MAR''TA\\K@EXAMPLE.COM'::text)`]: `  Filter: (upper(email) = 'U_1@MASKED.INVALID'::text)`,
  '  Index Cond: (n = 99)  (cost=0.99..8.17 rows=99 width=99)':
    '  Index Cond: (n = 47)  (cost=0.99..8.17 rows=99 width=99)',
  "  Filter: (n = ANY ('{1,99}'::integer[]))": "  Filter: (n = ANY ('{1,47}'::integer[]))",
  "  Filter: (born = '01/02/1980'::date)": "  Filter: (born = '11/30/1951'::date)",
  "  Filter: (born = '02.01.1980'::date)": "  Filter: (born = '30.11.1951'::date)",
  '  ->  Seq Scan on people': '  ->  Seq Scan on people',
};

describe('a plan in which values stand for pseudonyms', () => {
  it.each(Object.entries(SPELLED))('shows pseudonyms: %s', (plan, shown) => {
    expect(withPseudonyms(plan, SWAPS)).toBe(shown);
  });

  it('is not shown where a value may be in it in a spelling that is not known', () => {
    expect(withPseudonyms(`Filter: (email = 'mar&apos;&apos;ta\\k@example.com'::text)`, SWAPS)).toBeUndefined();
    expect(withPseudonyms(`Filter: (email = 'Mar''Ta\\K@example.com'::text)`, SWAPS)).toBeUndefined();
  });

  it('may not have values with line breaks in it, which it would cut', () => {
    expect([canBeShown('a b'), canBeShown('a\nb')]).toEqual([true, false]);
  });
});

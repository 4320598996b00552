import { beforeAll, describe, expect, it } from 'vitest';
import { analyze, loadGrammar } from '../../../../src/protocols/postgres/facts/analyze.js';
import { notTakenBack } from '../../../../src/protocols/postgres/trial/takes-back.js';

beforeAll(loadGrammar);

const refused = (text: string): string | undefined => notTakenBack(analyze(text));

describe('a statement that is to be tried out', () => {
  it.each([
    ['delete from t where id = 1', undefined],
    ['delete from t; commit', 'several statements in one message'],
    ['commit', 'it begins or ends transactions'],
    ["select setval('s', 1)", 'setval sets a sequence, which no rollback takes back'],
  ])('%s: %s', (text, why) => {
    expect(refused(text)).toBe(why);
  });

  it('is not, where its text is large: it would be parsed several times while others wait', () => {
    const list = Array.from({ length: 20_000 }, (_, at) => String(at)).join(',');
    expect(refused(`delete from t where id in (${list})`)).toBe('its text is too large to be tried out');
  });
});

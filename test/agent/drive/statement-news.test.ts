import { expect, it } from 'vitest';
import { StatementNews } from '../../../src/agent/drive/statement-news.js';
import type { Verdict } from '../../../src/policy/types.js';

const allowed: Verdict = { action: 'allow', rule: '', message: '', flows: [], matches: [], policyHash: '' };

it('tells a statement and its verdict, at most one in 100 ms, and how many there were in between', () => {
  const told: Readonly<Record<string, unknown>>[] = [];
  let nowMs = 0;
  const news = new StatementNews(
    () => nowMs,
    (event) => told.push(event),
  );
  const run = (statement: number, atMs: number, verdict = allowed): void => {
    nowMs = atMs;
    news.decided({ type: 'statement', statement, text: 'x'.repeat(1_000), via: 'query' }, verdict);
  };
  run(1, 0);
  run(2, 50);
  run(3, 99);
  run(4, 100, { ...allowed, action: 'block', rule: 'p/no' });
  expect(told).toEqual([
    { event: 'statement', statement: 1, action: 'allow', text: 'x'.repeat(300) },
    { event: 'statement', statement: 4, action: 'block', rule: 'p/no', text: 'x'.repeat(300), skipped: 2 },
  ]);
});

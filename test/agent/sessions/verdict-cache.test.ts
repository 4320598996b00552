import { describe, expect, it } from 'vitest';
import { VerdictCache } from '../../../src/agent/sessions/verdict-cache.js';
import type { PolicySet } from '../../../src/policy/compile.js';
import type { Verdict } from '../../../src/policy/types.js';

const set = (steady: boolean): PolicySet => ({ policies: [], hash: '', source: '[]', steady, sessionless: true });
const verdict = (rule: string): Verdict => ({
  action: 'block',
  rule,
  message: '',
  flows: [],
  matches: [],
  policyHash: '',
});

describe('VerdictCache', () => {
  it('decides the same facts once under a steady policy', () => {
    const cache = new VerdictCache();
    const [policy, basis] = [set(true), {}];
    expect(cache.judge(policy, basis, () => verdict('first')).rule).toBe('first');
    expect(cache.judge(policy, basis, () => verdict('second')).rule).toBe('first');
    expect(cache.judge(policy, {}, () => verdict('other facts')).rule).toBe('other facts');
  });

  it('decides anew when the policy was replaced, and each time where a rule reads the time or bound values', () => {
    const cache = new VerdictCache();
    const basis = {};
    cache.judge(set(true), basis, () => verdict('old'));
    expect(cache.judge(set(true), basis, () => verdict('new')).rule).toBe('new');
    const moody = set(false);
    cache.judge(moody, basis, () => verdict('one'));
    expect(cache.judge(moody, basis, () => verdict('two')).rule).toBe('two');
  });
});

import { describe, expect, it } from 'vitest';
import type { ChainedEvent, DecisionEvent } from '../../src/core/events.js';
import { decisionOf } from '../../src/recording/reading/event-fields.js';
import { SessionTerms } from '../../src/recording/writing/session-terms.js';
import { sessionId, start } from './recorded-session.js';

const AT = '2026-11-21T04:30:44.123456Z';

function decision(observed: DecisionEvent['observed']): DecisionEvent {
  return {
    type: 'decision',
    statement: 1,
    action: 'allow',
    rules: [],
    policyHash: '',
    ...(observed === undefined ? {} : { observed }),
  };
}

function termsOf(event: DecisionEvent): string[] {
  const terms = new SessionTerms();
  terms.observe(start(sessionId()), AT);
  terms.take();
  terms.observe(event, AT);
  return terms.take().map(({ kind, term }) => `${kind} ${term}`);
}

describe('what an observing policy would have done', () => {
  it('is what a session is found by: the action and the rule', () => {
    expect(termsOf(decision([{ rule: 'watch/no-drop', action: 'block' }]))).toEqual([
      'rule watch/no-drop',
      'rule no-drop',
      'verdict would-block',
    ]);
  });

  it('is no verdict where it would have allowed, and nothing where nothing matched', () => {
    expect(termsOf(decision([{ rule: 'watch/reads', action: 'allow' }]))).toEqual(['rule watch/reads', 'rule reads']);
    expect(termsOf(decision(undefined))).toEqual([]);
  });

  it('stands behind the verdict in a transcript', () => {
    const event = { ...decision([{ rule: 'watch/no-drop', action: 'block' }]), seq: 1, at: AT, prev: '', hash: '' };
    expect(decisionOf(event as unknown as ChainedEvent, 100)).toMatch(/^allowed; would block by watch\/no-drop$/);
    const plain = { ...decision([]), seq: 1, at: AT, prev: '', hash: '' };
    expect(decisionOf(plain as unknown as ChainedEvent, 100)).toBe('allowed');
  });
});

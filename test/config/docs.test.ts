import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { SINK_EVENTS } from '../../src/core/sink-event.js';
import { load, resource } from './config-fixtures.js';

/** The examples of a page, in order. */
function examples(page: string): string[] {
  const text = readFileSync(new URL(`../../docs/${page}`, import.meta.url), 'utf8');
  return [...text.matchAll(/```yaml\n(.*?)```/gs)].map((found) => found[1] ?? '');
}
const indented = (text: string): string => text.replace(/^(?=.)/gm, '  ');

describe('docs/connections.md', () => {
  it('shows connections that load', async () => {
    const [both = ''] = examples('connections.md');
    const { faults, resources } = await load({ 'c.yaml': both });
    expect(faults).toEqual([]);
    expect(resources?.connections.map(({ name, type }) => [name, type])).toEqual([
      ['openai', 'openai'],
      ['crm', 'http'],
    ]);
  });
});

describe('docs/policies.md', () => {
  const [rules = '', mask = '', limits = '', tests = '', file = ''] = examples('policies.md');

  it('shows rules, masks and limits that load', async () => {
    const spec = `  rules:\n${indented(indented(rules))}${indented(mask)}${indented(limits)}`;
    const flow = resource('ApprovalFlow', 'sales', '  reviewers: [{ groups: [sales] }]\n');
    const { faults, resources } = await load({ 'p.yaml': resource('Policy', 'p', spec), 'f.yaml': flow });
    expect(faults).toEqual([]);
    const [policy] = resources?.policies ?? [];
    expect([policy?.rules.length, policy?.mask.length, policy?.limits.length]).toEqual([3, 2, 1]);
  });

  it('shows a file of tests that loads', async () => {
    const { faults } = await load({ 'shop.test.yaml': file }, {}, { tests: true });
    expect(faults).toEqual([]);
  });

  it('shows tests of which only the rules and masks are missing', async () => {
    const { faults } = await load({ 'p.yaml': resource('Policy', 'p', indented(tests)) });
    expect(faults.map((fault) => fault.replace(/^.*: /, ''))).toEqual([
      'there is no rule `where-required`',
      'there is no rule `private-key`',
      'there is no mask `pii`',
      'there is no mask `fields`',
    ]);
  });
});

describe('docs/sinks.md', () => {
  it('shows sinks that load', async () => {
    const [sinks = ''] = examples('sinks.md');
    const { faults, resources } = await load({ 's.yaml': sinks }, { SLACK_WEBHOOK: 'https://hooks.example.com/x' });
    expect(faults).toEqual([]);
    expect(resources?.sinks.map(({ name, type }) => [name, type])).toEqual([
      ['security-hook', 'webhook'],
      ['dba-channel', 'slack'],
    ]);
  });

  it('names every event', () => {
    const text = readFileSync(new URL('../../docs/sinks.md', import.meta.url), 'utf8');
    for (const name of SINK_EVENTS) expect(text).toContain(`\`${name}\``);
  });
});

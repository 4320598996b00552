import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { createColours } from '../../../src/cli/colours.js';
import type { BacktestResult } from '../../../src/cli/policy/backtest.js';
import { questionsInFolder } from '../../../src/cli/policy/backtest-source.js';
import { backtestText } from '../../../src/cli/policy/backtest-text.js';
import { loadPolicies } from '../../../src/cli/policy/load-policies.js';
import { changeFailure, runBacktest } from '../../../src/cli/policy/run-backtest.js';
import type { DecisionEvent, RecordedEvent, SessionStart } from '../../../src/core/events.js';
import { uuidv7 } from '../../../src/core/ids.js';
import { loadGrammar, readSql } from '../../../src/protocols/postgres/facts/analyze.js';
import { recordedFacts } from '../../../src/protocols/postgres/statements/statement-text.js';
import { generateRecordingKey } from '../../../src/recording/keys.js';
import { openRecordings } from '../../../src/recording/recordings.js';
import { inFolder } from './policy-folder.js';
import { makeFolder } from '../../support/folders.js';

const SPAN = { since: '2026-11-01T00:00:00Z', until: '2026-11-30T00:00:00Z' };
const STARTED_MS = Date.parse('2026-11-21T09:00:00Z');

let dir: string;
let sessions = 0;

beforeEach(async () => {
  dir = makeFolder('backtest');
  await loadGrammar();
});

type Told = Partial<Pick<DecisionEvent, 'action' | 'rules'>>;

/** Records sessions by the agent's own recorder, at a moment. */
async function record(
  asked: readonly (readonly [event: RecordedEvent, told: Told | undefined])[],
  start: Partial<SessionStart> = {},
  startedMs = STARTED_MS,
): Promise<void> {
  sessions += 1;
  const clock = { nowMs: () => startedMs, timestamp: () => new Date(startedMs).toISOString().replace('Z', '000Z') };
  const nothing = (): void => undefined;
  const index = { sessionOpened: nothing, sessionSealed: nothing, statementsSeen: nothing, flush: nothing };
  const recordings = openRecordings({
    dir,
    durability: 'flush',
    key: generateRecordingKey(),
    clock,
    index,
    onFault: nothing,
  });
  const recorder = recordings.open({
    type: 'session.start',
    session: uuidv7(startedMs + sessions, new Uint8Array(10).fill(sessions)),
    user: { subject: 'u1', email: 'ann@example.com', groups: ['eng'], issuer: 'i', machine: false, attributes: {} },
    connection: { name: 'shop', type: 'postgres', labels: {} },
    credential: 'app',
    client: { address: '10.0.0.1' },
    ...start,
  });
  for (const [event, told] of asked) {
    recorder.record(event);
    if (told !== undefined)
      recorder.record({ type: 'decision', statement: 1, action: 'allow', rules: [], policyHash: '', ...told });
  }
  await recorder.seal({ type: 'session.end', reason: 'client', statements: asked.length, blocked: 0 });
  await recordings.close();
}

function statement(text: string): RecordedEvent {
  return { type: 'statement', statement: 1, text, via: 'query', facts: recordedFacts(readSql(text).facts) };
}

function backtest(rules: string, more = ''): Promise<BacktestResult> {
  const policy = `apiVersion: hoop/v1\nkind: Policy\nmetadata: { name: p }\nspec:\n  rules: [${rules}]\n${more}`;
  return inFolder({ 'p.yaml': policy }, async (folder) => {
    const { resources } = await loadPolicies(folder, {});
    return runBacktest(resources, questionsInFolder(dir, SPAN), () => undefined);
  });
}

const NO_DROP = `{ name: no-drop, when: '"drop" in sql.effects', action: block }`;

describe('policy backtest', () => {
  it('lists every verdict that differs, by what changed, with users and examples', async () => {
    await record([
      [statement('DROP TABLE a'), {}],
      [statement('DROP TABLE b'), {}],
      [statement('SELECT 1'), {}],
      [statement('SELECT 2'), { action: 'block', rules: ['old/no-select'] }],
    ]);
    await record([[statement('DROP TABLE a'), {}]], {
      user: { subject: 'ci', email: '', groups: [], issuer: 'i', machine: true, attributes: {} },
    });
    const result = await backtest(NO_DROP);
    expect(result).toMatchObject({ sessions: 2, judged: 5, changed: 4, otherRule: 0, unjudged: {} });
    expect(
      result.changes.map(({ from, to, count, users }) => [from.action, from.rule, to.action, to.rule, count, users]),
    ).toEqual([
      ['allow', '', 'block', 'p/no-drop', 3, { 'ann@example.com': 2, ci: 1 }],
      ['block', 'old/no-select', 'allow', '', 1, { 'ann@example.com': 1 }],
    ]);
    expect(result.changes[0]?.examples.map(({ text }) => text)).toEqual(['DROP TABLE a', 'DROP TABLE b']);
    expect(changeFailure(result)).toMatchObject({ code: 'verdicts_differ', exitStatus: 1 });
    const shown = backtestText(result, createColours({ stream: 'stdout', noColor: true, env: {} }));
    expect(shown).toContain('5 statements of 2 sessions judged again: verdicts that differ: 4');
    expect(shown).toContain('3  allow → block by p/no-drop\n    users        ann@example.com 2, ci 1');
  });

  it('finds nothing where the files still say what was decided', async () => {
    await record([
      [statement('DROP TABLE a'), { action: 'block', rules: ['p/no-drop'] }],
      [statement('SELECT 1'), {}],
    ]);
    const result = await backtest(NO_DROP);
    expect(result).toMatchObject({ judged: 2, changed: 0, otherRule: 0, changes: [] });
    expect(changeFailure(result)).toBeUndefined();
  });

  it('tells the same action by another rule apart, and does not count it as a change', async () => {
    await record([[statement('DROP TABLE a'), { action: 'block', rules: ['p/older'] }]]);
    const result = await backtest(NO_DROP);
    expect(result).toMatchObject({ changed: 0, otherRule: 1 });
    expect(changeFailure(result)).toBeUndefined();
  });

  it('judges by the facts that were recorded: what a catalogue added, which the text does not show', async () => {
    const facts = { ...recordedFacts(readSql('SELECT purge()').facts), kind: 'drop', effects: ['drop', 'select'] };
    await record([[{ type: 'statement', statement: 1, text: 'SELECT purge()', via: 'query', facts }, {}]]);
    expect((await backtest(NO_DROP)).changes[0]?.to).toEqual({ action: 'block', rule: 'p/no-drop' });
  });

  it('reads the text where no facts were recorded', async () => {
    await record([[{ type: 'statement', statement: 1, text: 'DROP TABLE a', via: 'query' }, {}]]);
    expect((await backtest(NO_DROP)).changed).toBe(1);
  });

  it('blocks text that did not parse where a rule reads statements', async () => {
    await record([[statement('DROP TABLE'), {}]]);
    expect((await backtest(NO_DROP)).changes[0]?.to.rule).toBe('p/unparsable');
  });

  it('judges at the moment and from the address of the recording, and not one for another', async () => {
    await record([[statement('SELECT 1'), {}]], { client: { address: '192.0.2.1' } });
    await record([[statement('SELECT 1'), {}]]);
    const weekday = `{ name: r, when: 'weekday(now, "UTC") == "sat" && inRange(session.clientAddress, "10.0.0.0/8")', action: warn }`;
    expect(await backtest(weekday)).toMatchObject({ judged: 2, changed: 1 });
  });

  it('judges bound values each by itself', async () => {
    const bound = (param: string): RecordedEvent => ({
      type: 'statement',
      statement: 1,
      text: 'SELECT $1',
      via: 'execute',
      params: [param],
      facts: recordedFacts(readSql('SELECT $1').facts),
    });
    await record([
      [bound('a'), {}],
      [bound('b'), {}],
    ]);
    expect((await backtest(`{ name: r, when: 'sql.params.exists(p, string(p) == "b")', action: block }`)).changed).toBe(
      1,
    );
  });

  it('reads requests by their dialect, and leaves those of which too little was recorded', async () => {
    const openai = { connection: { name: 'openai', type: 'openai', labels: {} } };
    const request = (body: string): RecordedEvent => ({
      type: 'request',
      statement: 1,
      method: 'POST',
      path: '/v1/chat/completions',
      text: 'x',
      body,
      bodyBytes: body.length,
      contentType: 'application/json',
      endpoint: 'chat.completions',
      model: 'gpt-4o',
    });
    const whole = JSON.stringify({ model: 'gpt-4o', messages: [{ role: 'user', content: 'a secret plan' }] });
    await record([[request(whole), {}]], openai);
    await record([[request(whole.slice(0, 50)), {}]], openai);
    const result = await backtest(`{ name: r, when: 'llm.prompt.contains("secret")', action: block }`);
    expect(result).toMatchObject({ judged: 1, changed: 1, unjudged: { 'a body that was not recorded whole': 1 } });
    const headers = await backtest(`{ name: r, when: 'http.headers["x-team"] == "a"', action: block }`);
    expect(headers).toMatchObject({ judged: 0, changed: 0 });
  });

  it('leaves what policy did not decide, what masks and limits refused, and what was never decided', async () => {
    await record([
      [statement('SELECT 1'), { action: 'block', rules: ['hoop/undecided'] }],
      [statement('SELECT 2'), { action: 'block', rules: ['p/pii'] }],
      [statement('SELECT 3'), undefined],
    ]);
    const result = await backtest(NO_DROP, '  mask: [{ name: pii, columns: ["*.ssn"], strategy: redact }]\n');
    expect(result.judged).toBe(0);
    expect(Object.values(result.unjudged)).toEqual([1, 1, 1]);
  });

  it('reads sessions of the span alone', async () => {
    await record([[statement('DROP TABLE a'), {}]], {}, Date.parse('2026-10-31T23:59:59Z'));
    await record([[statement('DROP TABLE a'), {}]], {}, Date.parse('2026-11-30T00:00:01Z'));
    await record([[statement('DROP TABLE a'), {}]]);
    expect(await backtest(NO_DROP)).toMatchObject({ sessions: 1, judged: 1 });
  });

  it('says so where there is no folder of recordings', async () => {
    const reading = questionsInFolder(join(dir, 'missing'), SPAN).next();
    await expect(reading).rejects.toMatchObject({ code: 'not_found' });
  });
});

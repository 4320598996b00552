import { Client } from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { RequestView } from '../../src/core/approval.js';
import { until } from '../support/until.js';
import { startTestAgent, type TestAgent } from '../support/agent.js';
import { missingPostgres } from '../support/postgres-server.js';
import { buttonsOf, startSlack, type Press, type SlackMessage } from '../support/slack.js';

const SECRET = '8f742231b10e8888abcd99yyyzzz85a5';
const TEAM = 'T012AB3CD';
const DANA = 'U0DANA';
const PEOPLE = { dana: DANA, bob: 'U0BOB', alice: 'U0ALICE', eve: 'U0EVE', ghost: 'U0GHOST' };

const RESOURCES = (webhook: string): string => `
apiVersion: hoop/v1
kind: Policy
metadata: { name: guard }
spec:
  rules:
    - { name: payments, when: 'sql.writes.exists(t, t.name == "payments")', action: approve, approval: one }
    - { name: contacts, when: 'sql.writes.exists(t, t.name == "contacts")', action: approve, approval: two }
---
apiVersion: hoop/v1
kind: ApprovalFlow
metadata: { name: one }
spec: { reviewers: [{ groups: [dba], count: 1 }], wait: 2m, notify: [chat] }
---
apiVersion: hoop/v1
kind: ApprovalFlow
metadata: { name: two }
spec: { reviewers: [{ groups: [dba], count: 2 }], wait: 2m, notify: [chat] }
---
apiVersion: hoop/v1
kind: Sink
metadata: { name: chat }
spec:
  type: slack
  url: "${webhook}"
  buttons:
    signingSecret: { env: SLACK_SECRET }
    team: ${TEAM}
    people:
${Object.entries(PEOPLE)
  .map(([subject, user]) => `      - { user: ${user}, provider: test, subject: ${subject} }`)
  .join('\n')}
`;

describe.skipIf(missingPostgres() !== undefined)('buttons in Slack', () => {
  let slack: Awaited<ReturnType<typeof startSlack>>;
  let test: TestAgent;
  let db: Client;
  let dana: string;
  let amount = 100;

  beforeAll(async () => {
    slack = await startSlack(SECRET, TEAM);
    test = await startTestAgent({ policies: RESOURCES(slack.webhook), env: { SLACK_SECRET: SECRET } });
    dana = await seen('dana', ['dba']);
    await seen('bob', ['dba']);
    await seen('eve', ['engineering']);
    // The requester is a reviewer too, of what others ask for.
    const { port } = await test.port({ subject: 'alice', groups: ['engineering', 'dba'] });
    db = new Client({ host: '127.0.0.1', port, user: 'x', database: test.database, ssl: false });
    await db.connect();
  });
  afterAll(async () => {
    await db.end();
    await test.close();
    await slack.close();
  });

  /** They use hoop: the agent sees their token. */
  async function seen(subject: string, groups: readonly string[]): Promise<string> {
    const token = await test.token({ subject, groups });
    expect((await test.call('/v1/whoami', { token })).status).toBe(200);
    return token;
  }

  async function send(press: Press, more: Record<string, string> = {}): Promise<number> {
    const { body, headers } = slack.signed(press);
    return post(body, { ...headers, ...more });
  }

  async function post(body: string, headers: Record<string, string>): Promise<number> {
    const response = await fetch(`${test.agent.url}/v1/slack`, { method: 'POST', body, headers });
    await response.body?.cancel();
    return response.status;
  }

  /** What Slack was answered to the press that follows. */
  async function answerTo(press: Press): Promise<SlackMessage> {
    const before = slack.answers().length;
    expect(await send(press)).toBe(200);
    return until('an answer', () => slack.answers()[before]);
  }

  interface Held {
    readonly sent: Promise<unknown>;
    readonly message: SlackMessage;
    readonly approve: string;
    readonly id: string;
    now(): Promise<RequestView>;
  }

  async function hold(table: 'payments' | 'contacts' = 'payments'): Promise<Held> {
    amount += 1;
    const text =
      table === 'payments'
        ? `UPDATE payments SET amount = ${String(amount)} WHERE id = 1`
        : `UPDATE contacts SET ssn = '${String(amount)}' WHERE id = 1`;
    const sent = db.query(text).then(
      ({ rowCount }) => rowCount,
      (error: unknown) => String(error),
    );
    const message = await slack.asks(text.slice(0, 40));
    const approve = buttonsOf(message).get('hoop.approve') ?? '';
    const id = approve.split('.')[0] ?? '';
    const now = async (): Promise<RequestView> =>
      (await test.call(`/v1/requests/${id}`, { token: dana })).body as RequestView;
    return { sent, message, approve, id, now };
  }

  it('approve as the person whom the sink names, with the right that this person has, and the message shows how it ended', async () => {
    const { sent, message, approve, id, now } = await hold();
    expect([...buttonsOf(message).keys()]).toEqual(['hoop.approve', 'hoop.deny']);
    const answer = await answerTo({ value: approve, user: DANA });
    expect(await sent).toBe(1);
    expect(answer).toMatchObject({ replace_original: true });
    expect(JSON.stringify(answer)).toContain('Outcome: approved by dana@example.test');
    expect(buttonsOf(answer).size).toBe(0);
    expect(JSON.stringify(answer)).not.toContain('hoop approve');
    expect(await now()).toMatchObject({
      id,
      state: 'approved',
      decidedBy: 'dana@example.test',
      decisionReason: `in Slack, by its user ${DANA}`,
    });
  });

  it('deny, which the requester reads', async () => {
    const { sent, message, now } = await hold();
    const deny = buttonsOf(message).get('hoop.deny') ?? '';
    await answerTo({ action: 'hoop.deny', value: deny, user: DANA });
    expect(await sent).toMatch(/denied by dana@example\.test/);
    expect((await now()).state).toBe('denied');
  });

  it('count distinct people, and show what is still needed', async () => {
    const { sent, approve, now } = await hold('contacts');
    const first = await answerTo({ value: approve, user: DANA });
    expect(first.text).toContain('waits for further approval');
    expect([...buttonsOf(first).keys()]).toEqual(['hoop.approve', 'hoop.deny']);
    const again = await answerTo({ value: approve, user: DANA });
    expect(again).toMatchObject({ response_type: 'ephemeral', replace_original: false });
    expect(again.text).toContain('you approved this request already');
    expect((await now()).state).toBe('pending');
    // The second one decides in a terminal: the message in Slack follows.
    const before = slack.answers().length;
    const bob = await test.token({ subject: 'bob', groups: ['dba'] });
    await test.call(`/v1/requests/${(await now()).id}/approve`, { token: bob, body: { reason: 'seen' } });
    expect(await sent).toBe(1);
    const last = await until('the message to follow', () => slack.answers()[before]);
    expect(JSON.stringify(last)).toContain('Outcome: approved by bob@example.test');
  });

  it('pressed too late show who was first', async () => {
    const { sent, approve, id } = await hold();
    await test.call(`/v1/requests/${id}/deny`, { token: dana, body: { reason: 'no' } });
    expect(await sent).toMatch(/denied/);
    const before = slack.answers().length;
    expect(await send({ value: approve, user: PEOPLE.bob })).toBe(200);
    const both = await until(
      'two answers',
      () => slack.answers().length === before + 2 && slack.answers().slice(before),
    );
    expect(both.map(({ text }) => text)).toEqual(
      expect.arrayContaining([expect.stringContaining('denied already by dana@example.test') as string]),
    );
    const replaced = both.find((one) => one.replace_original === true);
    expect(JSON.stringify(replaced)).toContain('Outcome: denied by dana@example.test');
  });

  it('decide nothing for anyone else', async () => {
    const { approve, now, sent } = await hold();
    for (const [user, team, why] of [
      ['U0STRANGER', TEAM, 'names nobody for this Slack user'],
      [DANA, 'T0OTHER', 'names nobody for this Slack user'],
      [PEOPLE.eve, TEAM, 'you are not a reviewer'],
      [PEOPLE.alice, TEAM, 'deciding your own request is not allowed'],
      [PEOPLE.ghost, TEAM, 'has not seen your login lately'],
    ] as const) {
      const answer = await answerTo({ value: approve, user, team });
      expect(answer).toMatchObject({ response_type: 'ephemeral', replace_original: false });
      expect(answer.text, user).toContain(why);
    }
    // Dana is no DBA any more: her next token says so, and her button is worth nothing.
    await seen('dana', ['engineering']);
    expect((await answerTo({ value: approve, user: DANA })).text).toContain('you are not a reviewer');
    await seen('dana', ['dba']);
    expect((await now()).state).toBe('pending');
    await answerTo({ value: approve, user: DANA });
    expect(await sent).toBe(1);
  });

  it('decide nothing that Slack did not sign just now, nor the same twice, nor for a button that is not ours', async () => {
    const { approve, id, now, sent } = await hold();
    expect(await send({ value: approve, user: DANA, secret: 'another' })).toBe(403);
    expect(await send({ value: approve, user: DANA, ageS: 301 })).toBe(403);
    expect(await send({ value: approve, user: DANA, ageS: -301 })).toBe(403);
    expect(await send({ value: approve, user: DANA }, { 'x-slack-signature': '' })).toBe(403);
    expect(await send({ value: approve, user: DANA }, { 'x-slack-request-timestamp': 'now' })).toBe(403);
    // Signed for another body.
    const mallory = slack.signed({ value: approve, user: PEOPLE.eve });
    expect(await post(mallory.body.replace(PEOPLE.eve, DANA), mallory.headers)).toBe(403);
    // Somebody else's server is not called, even where the signature holds.
    expect(await send({ value: approve, user: DANA, responseUrl: 'http://127.0.0.1:9/actions' })).toBe(403);
    const proof = approve.split('.')[1] ?? '';
    for (const forged of [id, `${id}.`, `${id}.${'0'.repeat(64)}`, `019abcde-0000-7000-8000-000000000000.${proof}`])
      expect((await answerTo({ value: forged, user: DANA })).text).toContain('not made by hoop');
    expect(await send({ action: 'other.app', value: approve, user: DANA })).toBe(200);
    expect((await now()).state).toBe('pending');
    const { body, headers } = slack.signed({ value: approve, user: DANA });
    expect([await post(body, headers), await post(body, headers)]).toEqual([200, 403]);
    expect(await sent).toBe(1);
  });

  it('offer no approval of what the message does not show: bound values, or the end of a long text', async () => {
    const bound = db.query('UPDATE payments SET amount = $1 WHERE id = 2', [7]).catch(String);
    const message = await slack.asks('SET amount = $1');
    expect([...buttonsOf(message).keys()]).toEqual(['hoop.deny']);
    expect(JSON.stringify(message)).toContain('Not all of it is shown here');
    await answerTo({ action: 'hoop.deny', value: buttonsOf(message).get('hoop.deny') ?? '', user: DANA });
    expect(await bound).toMatch(/denied/);
    const long = db.query(`UPDATE payments SET amount = 8 WHERE id = 2 /* ${'long '.repeat(400)}*/`).catch(String);
    const cut = await slack.asks('SET amount = 8');
    expect([...buttonsOf(cut).keys()]).toEqual(['hoop.deny']);
    await answerTo({ action: 'hoop.deny', value: buttonsOf(cut).get('hoop.deny') ?? '', user: DANA });
    expect(await long).toMatch(/denied/);
  });
});

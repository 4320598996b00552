import { describe, expect, it } from 'vitest';
import { load, resource } from './config-fixtures.js';

const spec = (text: string): string => resource('Sink', 's', `  ${text}\n`);
const faultsOf = async (text: string): Promise<string[]> => {
  const { faults } = await load({ 's.yaml': spec(text) });
  return faults.map((fault) => fault.replace(/^s\.yaml:\d+:\d+: /, ''));
};

describe('a Sink', () => {
  it('of each type loads, with defaults', async () => {
    const { faults, resources, dir } = await load(
      {
        's.yaml': [
          resource(
            'Sink',
            'hook',
            '  { type: webhook, url: "https://x.example/h?k=1", secret: { env: K }, events: [decision.block] }\n',
          ),
          resource('Sink', 'chat', '  { type: slack, url: "${SLACK}", events: ["approval.*"] }\n'),
          resource('Sink', 'teams', '  { type: teams, url: "https://x.example/t", events: ["*"] }\n'),
          resource('Sink', 'file', '  { type: file, path: ./events.ndjson, events: ["*"], maxBytes: 1MiB }\n'),
          resource('Sink', 'log', '  { type: syslog, address: "logs.example", ca: ./ca.pem, events: ["*"] }\n'),
          resource(
            'Sink',
            'otlp',
            '  { type: otlp, url: "http://127.0.0.1:4318", events: ["*"], headers: { Authorization: { env: T } } }\n',
          ),
        ].join('---\n'),
      },
      { SLACK: 'https://hooks.example/T/B/x' },
    );
    expect(faults).toEqual([]);
    const queueBytes = 64 * 2 ** 20;
    expect(resources?.sinks).toMatchObject([
      { name: 'hook', type: 'webhook', secret: { env: 'K' }, events: ['decision.block'], queueBytes },
      { name: 'chat', type: 'slack', url: 'https://hooks.example/T/B/x' },
      { name: 'teams', type: 'teams' },
      { name: 'file', type: 'file', path: `${dir}/events.ndjson`, maxBytes: 2 ** 20, keep: 5 },
      { name: 'log', type: 'syslog', host: 'logs.example', port: 6514, ca: `${dir}/ca.pem` },
      { name: 'otlp', type: 'otlp', headers: { authorization: { env: 'T' } } },
    ]);
  });

  it('needs what its type needs, and takes no key of another', async () => {
    expect(await faultsOf('{ type: webhook, url: "https://x.example", events: ["*"] }')).toEqual([
      '`spec.secret`: is missing',
    ]);
    expect(await faultsOf('{ type: slack, url: "https://x.example", path: ./x, events: ["*"] }')).toEqual([
      'unknown key `path` here; it belongs to type `file`',
    ]);
    expect(await faultsOf('{ type: slack, url: "http://x.example", events: ["*"] }')).toEqual([
      '`spec.url`: plain http is possible on loopback only',
    ]);
  });

  it('in Slack has buttons for people whom it names, each of a provider that is there', async () => {
    const buttons = (people: string, more = ''): Promise<string[]> =>
      faultsOf(
        `{ type: slack, url: "https://x.example", events: ["*"], buttons: { signingSecret: { env: S }, team: T012, people: [${people}]${more} } }`,
      );
    expect(await buttons('{ user: U012, provider: corp, subject: dana }')).toEqual([
      'there is no IdentityProvider `corp`',
    ]);
    expect(await buttons('')).toEqual([
      '`spec.buttons.people`: expected at least one person who may press the buttons',
    ]);
    expect(await buttons('{ user: dana, provider: corp, subject: dana }')).toEqual([
      '`spec.buttons.people[0].user`: expected the member id of a Slack user, such as U012AB3CD',
    ]);
    const one = '{ user: U012, provider: corp, subject: dana }';
    expect(await buttons(`${one}, ${one}`)).toEqual([
      '`spec.buttons.people[1].user`: this Slack user stands here twice',
    ]);
    expect(await buttons(one, ', groups: [dba]')).toEqual([expect.stringContaining('unknown key `groups`')]);
    const idp = resource(
      'IdentityProvider',
      'corp',
      '  { issuer: "https://id.example", audience: hoop, reviewers: true }\n',
    );
    const sink = spec(
      '{ type: slack, url: "https://x.example", events: ["*"], buttons: { signingSecret: { env: S }, team: T012, people: [{ user: U012, provider: corp, subject: dana }] } }',
    );
    const { faults, resources } = await load({ 's.yaml': sink, 'i.yaml': idp });
    expect(faults).toEqual([]);
    expect(resources?.sinks[0]).toMatchObject({
      buttons: { signingSecret: { env: 'S' }, team: 'T012', seenWithinMs: 43_200_000 },
    });
  });

  it('that is told of an event that does not exist gets the nearest name', async () => {
    expect(await faultsOf('{ type: slack, url: "https://x.example", events: [decision.blocked] }')).toEqual([
      '`spec.events[0]`: no event has this name; did you mean `decision.block`?',
    ]);
  });

  it('that nothing would reach is a fault, and so is a flow that notifies a sink that is not there', async () => {
    expect(await faultsOf('{ type: slack, url: "https://x.example" }')).toEqual([
      '`events` is missing, and no ApprovalFlow names this sink under `notify`',
    ]);
    const flow = (name: string): string =>
      resource('ApprovalFlow', 'f', `  { reviewers: [{ groups: [dba] }], notify: [${name}] }\n`);
    const sink = resource('Sink', 'dba-channel', '  { type: slack, url: "https://x.example" }\n');
    expect((await load({ 'a.yaml': flow('dba-channel'), 'b.yaml': sink })).faults).toEqual([]);
    expect((await load({ 'a.yaml': flow('dba-chanel'), 'b.yaml': sink })).faults).toEqual([
      expect.stringMatching(/there is no Sink `dba-chanel`; did you mean `dba-channel`\?$/),
      expect.stringMatching(/no ApprovalFlow names this sink/),
    ]);
  });
});

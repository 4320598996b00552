import { createHmac, randomUUID } from 'node:crypto';
import { startReceiver } from '../sinks/events.js';
import { until } from './until.js';

export interface SlackBlock {
  readonly type: string;
  readonly text?: { readonly type: string; readonly text: string };
  readonly fields?: readonly { readonly text: string }[];
  readonly elements?: readonly { readonly action_id: string; readonly value: string; readonly style: string }[];
}

export interface SlackMessage {
  readonly text: string;
  readonly blocks: readonly SlackBlock[];
  readonly response_type?: string;
  readonly replace_original?: boolean;
}

/** A press as Slack would send it; each part can be made wrong. */
export interface Press {
  readonly action?: string;
  readonly value: string;
  readonly user: string;
  readonly team?: string;
  /** Seconds that the signature is old. */
  readonly ageS?: number;
  readonly secret?: string;
  readonly responseUrl?: string;
}

/** A server that plays Slack: takes messages by incoming webhook and answers to buttons, and signs presses of them. */
export async function startSlack(secret: string, team: string) {
  const { url, received, close } = await startReceiver();
  const bodies = (path: string): SlackMessage[] =>
    received.filter((one) => one.path.startsWith(path)).map(({ body }) => JSON.parse(body) as SlackMessage);
  const signed = (press: Press): { readonly body: string; readonly headers: Record<string, string> } => {
    const payload = {
      type: 'block_actions',
      user: { id: press.user, username: 'somebody', team_id: press.team ?? team },
      team: { id: team, domain: 'test' },
      channel: { id: 'C0123', name: 'dba' },
      response_url: press.responseUrl ?? `${url}/actions/${team}/${randomUUID()}`,
      actions: [{ type: 'button', action_id: press.action ?? 'hoop.approve', block_id: 'x', value: press.value }],
    };
    const body = new URLSearchParams({ payload: JSON.stringify(payload) }).toString();
    const timestamp = String(Math.floor(Date.now() / 1_000) - (press.ageS ?? 0));
    const mac = createHmac('sha256', press.secret ?? secret)
      .update(`v0:${timestamp}:${body}`)
      .digest('hex');
    return {
      body,
      headers: {
        'content-type': 'application/x-www-form-urlencoded',
        'x-slack-request-timestamp': timestamp,
        'x-slack-signature': `v0=${mac}`,
      },
    };
  };
  return {
    url,
    close,
    signed,
    webhook: `${url}/services/T/B/x`,
    /** Messages of the webhook. */
    messages: () => bodies('/services/'),
    /** What was answered to presses, in order. */
    answers: () => bodies('/actions/'),
    /** The message that asks about a statement with this text. */
    asks: (text: string): Promise<SlackMessage> =>
      until(`a message about ${text}`, () =>
        bodies('/services/').find(
          (one) => one.text.includes('asks for approval') && JSON.stringify(one).includes(text),
        ),
      ),
  };
}

/** The buttons of a message, by what they do. */
export function buttonsOf(message: SlackMessage): ReadonlyMap<string, string> {
  const elements = message.blocks.flatMap((block) => (block.type === 'actions' ? (block.elements ?? []) : []));
  return new Map(elements.map(({ action_id: action, value }) => [action, value]));
}

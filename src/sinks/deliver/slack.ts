import type { SinkEvent } from '../../core/sink-event.js';
import type { SinkResource } from '../../core/resources.js';
import { chatText, type ChatText } from '../chat-text.js';
import type { Delivery, DeliveryHost } from '../delivery.js';
import { postJson } from '../post-json.js';
import { buttonValue, SLACK_ACTIONS } from '../slack-buttons.js';

/** Who makes buttons: a sink by its name, and the signing secret of its app. */
export interface ButtonMaker {
  readonly sink: string;
  readonly secret: string;
}

/** Slack takes one message a second of a webhook; a burst is answered with 429, which makes us wait. */
export function slackDelivery(
  sink: Extract<SinkResource, { type: 'slack' }>,
  host: Pick<DeliveryHost, 'reveal'>,
): Delivery {
  return {
    batch: 1,
    send: async (events, signal) => {
      const made = sink.buttons === undefined ? undefined : await host.reveal(sink.buttons.signingSecret);
      const maker = made === undefined ? undefined : { sink: sink.name, secret: made };
      for (const event of events) {
        const body = JSON.stringify(slackMessage(event, maker));
        await postJson({ url: sink.url, ca: sink.ca, headers: {}, body, signal });
      }
    },
    close: () => Promise.resolve(),
  };
}

/**
 * Everything of a user stands in `plain_text` or in a code block, escaped: nobody is mentioned and no link is made by what a
 * requester wrote.
 *
 * @param maker whose buttons the message gets: a sink, with the signing secret of its app; none where left out
 * @see https://docs.slack.dev/messaging/formatting-message-text
 */
export function slackMessage(event: SinkEvent, maker?: ButtonMaker): Readonly<Record<string, unknown>> {
  const { title, facts, statement, command, waiting } = chatText(event);
  const code = (words: string): unknown => ({
    type: 'section',
    text: { type: 'mrkdwn', verbatim: true, text: `\`\`\`\n${escaped(words)}\n\`\`\`` },
  });
  return {
    text: escaped(title),
    unfurl_links: false,
    unfurl_media: false,
    blocks: [
      { type: 'section', text: text(title) },
      { type: 'section', fields: facts.map(([name, value]) => text(`${name}: ${value}`)) },
      ...(statement === undefined ? [] : [code(statement)]),
      ...(command === undefined ? [] : [{ type: 'section', text: text(toDecide(waiting?.whole)) }, code(command)]),
      ...(waiting === undefined || maker === undefined ? [] : [buttons(waiting, maker)]),
    ],
  };
}

/** Words as they are: no mention, no link, no emoji comes of them. */
function text(words: string): Readonly<Record<string, unknown>> {
  return { type: 'plain_text', text: words, emoji: false };
}

function toDecide(whole: boolean | undefined): string {
  return whole === false
    ? 'Not all of it is shown here. To see it and decide, a reviewer types:'
    : 'To decide, a reviewer types:';
}

/**
 * Denying is always possible; approving only what can be read here.
 *
 * @see https://docs.slack.dev/reference/block-kit/blocks/actions-block
 */
function buttons({ request, whole }: NonNullable<ChatText['waiting']>, { sink, secret }: ButtonMaker): unknown {
  const button = (verdict: keyof typeof SLACK_ACTIONS, name: string, style: string): unknown => ({
    type: 'button',
    action_id: SLACK_ACTIONS[verdict],
    text: text(name),
    style,
    value: buttonValue(secret, sink, request),
    confirm: {
      title: text(`${name}?`),
      text: text('It counts as your decision, and is recorded under your name.'),
      confirm: text(name),
      deny: text('Back'),
    },
  });
  return {
    type: 'actions',
    elements: [...(whole ? [button('approve', 'Approve', 'primary')] : []), button('deny', 'Deny', 'danger')],
  };
}

/** A zero-width space keeps three of the quotes that end a block apart. */
export function escaped(words: string): string {
  return words
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('```', '`\u200b`\u200b`');
}

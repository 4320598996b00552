import type { SinkEvent } from '../../core/sink-event.js';
import type { SinkResource } from '../../core/resources.js';
import { chatText } from '../chat-text.js';
import type { Delivery } from '../delivery.js';
import { postJson } from '../post-json.js';

/** Slack takes one message a second of a webhook; a burst is answered with 429, which makes us wait. */
export function slackDelivery(sink: Extract<SinkResource, { type: 'slack' | 'teams' }>): Delivery {
  return {
    batch: 1,
    send: async (events, signal) => {
      for (const event of events)
        await postJson({ url: sink.url, ca: sink.ca, headers: {}, body: JSON.stringify(slackMessage(event)), signal });
    },
    close: () => Promise.resolve(),
  };
}

/**
 * Everything of a user stands in `plain_text` or in a code block, escaped: nobody is mentioned and no link is made by what a
 * requester wrote.
 *
 * @see https://docs.slack.dev/messaging/formatting-message-text
 */
export function slackMessage(event: SinkEvent): Readonly<Record<string, unknown>> {
  const { title, facts, statement, command } = chatText(event);
  const text = (words: string): unknown => ({ type: 'plain_text', text: words, emoji: false });
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
      ...(command === undefined
        ? []
        : [{ type: 'section', text: text('To decide, a reviewer types:') }, code(command)]),
    ],
  };
}

/** A zero-width space keeps three of the quotes that end a block apart. */
function escaped(words: string): string {
  return words
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('```', '`\u200b`\u200b`');
}

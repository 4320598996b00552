import type { SinkEvent } from '../../core/sink-event.js';
import type { SinkResource } from '../../core/resources.js';
import { chatText } from '../chat-text.js';
import type { Delivery } from '../delivery.js';
import { postJson } from '../post-json.js';

export function teamsDelivery(sink: Extract<SinkResource, { type: 'teams' }>): Delivery {
  return {
    batch: 1,
    send: async (events, signal) => {
      for (const event of events)
        await postJson({ url: sink.url, ca: sink.ca, headers: {}, body: JSON.stringify(teamsMessage(event)), signal });
    },
    close: () => Promise.resolve(),
  };
}

/**
 * A card in an incoming webhook of Teams (Workflows). `RichTextBlock` shows its runs as they are; a `TextBlock` would make
 * links of Markdown that a requester wrote.
 *
 * @see https://adaptivecards.io/explorer/RichTextBlock.html
 */
export function teamsMessage(event: SinkEvent): Readonly<Record<string, unknown>> {
  const { title, facts, statement, command } = chatText(event);
  const block = (...inlines: readonly object[]): unknown => ({ type: 'RichTextBlock', inlines });
  const run = (text: string, style: object = {}): object => ({ type: 'TextRun', text, ...style });
  const code = { fontType: 'Monospace' };
  return {
    type: 'message',
    attachments: [
      {
        contentType: 'application/vnd.microsoft.card.adaptive',
        content: {
          $schema: 'http://adaptivecards.io/schemas/adaptive-card.json',
          type: 'AdaptiveCard',
          version: '1.4',
          body: [
            block(run(title, { weight: 'Bolder' })),
            ...facts.map(([name, value]) => block(run(`${name}: `, { isSubtle: true }), run(value))),
            ...(statement === undefined ? [] : [block(run(statement, code))]),
            ...(command === undefined ? [] : [block(run('To decide, a reviewer types: '), run(command, code))]),
          ],
        },
      },
    ],
  };
}

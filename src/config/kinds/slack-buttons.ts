import { z } from 'zod';
import type { SlackButtons } from '../../core/resources.js';
import { nameSchema } from '../../policy/schema-names.js';
import { durationSchema, secretRef, secretSchema } from '../values.js';

const DEFAULT_SEEN_WITHIN_MS = 12 * 3_600_000;

const personSchema = z.strictObject({
  user: z.string().regex(/^[UW][A-Z0-9]{2,20}$/, 'expected the member id of a Slack user, such as U012AB3CD'),
  provider: nameSchema,
  subject: z.string().min(1),
});

/** Each Slack user is one person. */
const peopleSchema = z
  .array(personSchema)
  .min(1, 'expected at least one person who may press the buttons')
  .superRefine((people, context) => {
    for (const [index, { user }] of people.entries()) {
      if (people.findIndex((one) => one.user === user) === index) continue;
      context.addIssue({ code: 'custom', path: [index, 'user'], message: 'this Slack user stands here twice' });
    }
  });

export const slackButtonsSchema = z.strictObject({
  signingSecret: secretSchema,
  team: z.string().regex(/^T[A-Z0-9]{2,20}$/, 'expected the id of a Slack workspace, such as T012AB3CD'),
  people: peopleSchema,
  seenWithin: durationSchema.default(DEFAULT_SEEN_WITHIN_MS),
});

export function toSlackButtons(given: z.output<typeof slackButtonsSchema>, base: string): SlackButtons {
  const { signingSecret, team, people, seenWithin } = given;
  return { signingSecret: secretRef(signingSecret, base), team, people, seenWithinMs: seenWithin };
}

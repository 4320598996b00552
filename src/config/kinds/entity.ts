import { z } from 'zod';
import type { EntityResource } from '../../core/resources.js';
import { compileLinearPattern } from '../../policy/linear-pattern.js';
import { envelope } from './envelope.js';

const examplesSchema = z
  .strictObject({ match: z.array(z.string()).default([]), noMatch: z.array(z.string()).default([]) })
  .prefault({});

export const entitySchema = envelope(
  'Entity',
  z
    .strictObject({
      pattern: z.string().min(1).max(1_000),
      validate: z.enum(['none', 'luhn']).default('none'),
      examples: examplesSchema,
    })
    .superRefine((entity, context) => {
      const pattern = compileLinearPattern(entity.pattern);
      if (pattern === undefined) {
        context.addIssue({
          code: 'custom',
          path: ['pattern'],
          message: 'expected a pattern in RE2 syntax (no look-around, no back references) of bounded size',
        });
        return;
      }
      if (pattern.test(''))
        context.addIssue({
          code: 'custom',
          path: ['pattern'],
          message: 'this pattern meets the empty text, so it would meet everywhere',
        });
      entity.examples.match.forEach((example, index) => {
        if (!pattern.test(example))
          context.addIssue({
            code: 'custom',
            path: ['examples', 'match', index],
            message: 'the pattern does not meet this example',
          });
      });
      // With a check digit the pattern may meet what the check then refuses, so only `none` is decided here.
      entity.examples.noMatch.forEach((example, index) => {
        if (entity.validate === 'none' && pattern.test(example))
          context.addIssue({
            code: 'custom',
            path: ['examples', 'noMatch', index],
            message: 'the pattern meets this example',
          });
      });
    }),
);

export function toEntity(resource: z.output<typeof entitySchema>): EntityResource {
  return { name: resource.metadata.name, ...resource.spec };
}

import { z } from 'zod';
import type { EntityResource } from '../../core/resources.js';
import { compileLinearPattern } from '../../policy/linear-pattern.js';
import { envelope } from './envelope.js';
import { wordListPattern } from './word-list.js';

const examplesSchema = z
  .strictObject({ match: z.array(z.string()).default([]), noMatch: z.array(z.string()).default([]) })
  .prefault({});

const shapeSchema = z.strictObject({
  pattern: z.string().min(1).max(1_000).optional(),
  list: z.array(z.string().trim().min(1).max(200)).min(1).max(500).optional(),
  ignoreCase: z.boolean().default(false),
  validate: z.enum(['none', 'luhn']).default('none'),
  examples: examplesSchema,
});
type Shape = z.output<typeof shapeSchema>;

export const entitySchema = envelope(
  'Entity',
  shapeSchema.superRefine((entity, context) => {
    const refuse = (path: readonly (string | number)[], message: string): void => {
      context.addIssue({ code: 'custom', path: [...path], message });
    };
    if ((entity.pattern === undefined) === (entity.list === undefined)) {
      refuse([], 'expected one of pattern and list');
      return;
    }
    if (entity.ignoreCase && entity.list === undefined)
      refuse(['ignoreCase'], 'only for a list; a pattern begins with (?i)');
    const place = entity.list === undefined ? 'pattern' : 'list';
    const pattern = compileLinearPattern(patternOf(entity));
    if (pattern === undefined) {
      refuse(
        [place],
        place === 'list'
          ? 'this list is too large for one entity'
          : 'expected a pattern in RE2 syntax (no look-around, no back references) of bounded size',
      );
      return;
    }
    if (pattern.test('')) refuse(['pattern'], 'this pattern meets the empty text, so it would meet everywhere');
    entity.examples.match.forEach((example, index) => {
      if (!pattern.test(example)) refuse(['examples', 'match', index], `the ${place} does not meet this example`);
    });
    // With a check digit the pattern may meet what the check then refuses, so only `none` is decided here.
    entity.examples.noMatch.forEach((example, index) => {
      if (entity.validate === 'none' && pattern.test(example))
        refuse(['examples', 'noMatch', index], `the ${place} meets this example`);
    });
  }),
);

function patternOf({ pattern, list = [], ignoreCase }: Shape): string {
  return pattern ?? wordListPattern(list, ignoreCase);
}

export function toEntity({ metadata, spec }: z.output<typeof entitySchema>): EntityResource {
  return { name: metadata.name, pattern: patternOf(spec), validate: spec.validate, examples: spec.examples };
}

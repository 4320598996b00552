import { z } from 'zod';

/** More than any count or price. */
const MOST = 1e15;

/** A number of at least 0; also its digits as text, which is what `${ENV}` gives. */
export function numberSchema(fits: (given: number) => boolean, expected: string): z.ZodType<number, unknown> {
  const parsed = z.unknown().transform((given, context) => {
    const number = typeof given === 'string' && /^\d{1,15}(?:\.\d{1,9})?$/.test(given) ? Number(given) : given;
    if (typeof number === 'number' && number >= 0 && number <= MOST && fits(number)) return number;
    context.addIssue({ code: 'custom', message: expected });
    return z.NEVER;
  });
  return parsed.meta({ type: ['number', 'string'], minimum: 0 });
}

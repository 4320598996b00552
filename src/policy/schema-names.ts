import { z } from 'zod';

/** Name of a resource, rule, mask or limit: it stands in URLs, messages and recordings. */
export const nameSchema = z
  .string()
  .regex(
    /^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/,
    'expected a name: letters, digits, `.`, `_`, `-`, at most 63, starting with a letter or digit',
  );

/** Groups of which one must be the caller's; `*` is everyone. */
export const groupsSchema = z.array(z.string().min(1)).min(1, 'expected at least one group; `*` means everyone');

import { readFile } from 'node:fs/promises';
import { text } from 'node:stream/consumers';
import { HoopError } from '../../core/errors.js';
import type { TestUser } from '../../policy/schema-tests.js';

/**
 * The statement or request: of `-i`, of a file, or of what is piped in.
 *
 * @throws HoopError `usage` where there is none, `not_found` for a file that can't be read
 */
export async function givenInput(flags: {
  readonly input?: string | undefined;
  readonly file?: string | undefined;
}): Promise<string> {
  if (flags.input !== undefined) return flags.input;
  if (flags.file === '-' || (flags.file === undefined && !process.stdin.isTTY)) return text(process.stdin);
  if (flags.file === undefined)
    throw new HoopError('usage', 'there is nothing to explain', { suggestion: 'give -i TEXT, -f FILE, or pipe it in' });
  return readFile(flags.file, 'utf8').catch((cause: unknown) => {
    throw new HoopError('not_found', 'the file can not be read', { cause });
  });
}

/** @throws HoopError `usage` for an attribute without a name */
export function givenUser(flags: {
  readonly as?: string | undefined;
  readonly groups?: string | undefined;
  readonly attribute?: readonly string[] | undefined;
}): TestUser {
  const { as, groups, attribute = [] } = flags;
  const attributes = attribute.map((given): [string, string] => {
    const at = given.indexOf('=');
    if (at < 1) throw new HoopError('usage', 'an attribute is written NAME=VALUE');
    return [given.slice(0, at), given.slice(at + 1)];
  });
  return {
    ...(as === undefined ? {} : { subject: as, ...(as.includes('@') ? { email: as } : {}) }),
    groups: (groups ?? '')
      .split(',')
      .map((group) => group.trim())
      .filter((group) => group !== ''),
    attributes: Object.fromEntries(attributes),
  };
}

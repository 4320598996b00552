import { isIP } from 'node:net';
import { isAbsolute, resolve } from 'node:path';
import { z } from 'zod';
import { DURATION_PATTERN, parseDuration } from '../core/duration.js';
import type { SecretRef } from '../core/resources.js';
import { nameSchema } from '../policy/schema-names.js';
import { AT_KEY } from './schema-faults.js';

const SIZE_UNITS: Readonly<Record<string, number>> = { B: 1, KiB: 2 ** 10, MiB: 2 ** 20, GiB: 2 ** 30 };

/** Gives milliseconds. */
const parsedDuration = z.string().transform((text, context) => {
  const ms = parseDuration(text);
  if (ms !== undefined) return ms;
  context.addIssue({ code: 'custom', message: 'expected a duration such as 500ms, 30s, 5m, 2h or 90d' });
  return z.NEVER;
});
export const durationSchema = parsedDuration.meta({
  pattern: DURATION_PATTERN,
  examples: ['30s', '5m', '90d'],
});

/** `512KiB`, `8MiB`, `1GiB` or a number of bytes; gives bytes, more than 0. */
const parsedSize = z.unknown().transform((given, context) => {
  const parts =
    typeof given === 'number' || typeof given === 'string' ? /^(\d{1,12})(B|KiB|MiB|GiB)?$/.exec(String(given)) : null;
  const bytes = parts === null ? 0 : Number(parts[1]) * (SIZE_UNITS[parts[2] ?? 'B'] ?? 0);
  if (bytes > 0 && Number.isSafeInteger(bytes)) return bytes;
  context.addIssue({ code: 'custom', message: 'expected a size such as 512KiB, 8MiB or 1GiB' });
  return z.NEVER;
});
export const sizeSchema = parsedSize.meta({
  type: ['integer', 'string'],
  pattern: '^[0-9]{1,12}(B|KiB|MiB|GiB)?$',
  examples: ['512KiB', '8MiB'],
});

/** A whole number; also its digits as text, which is what `${ENV}` gives. */
export function integerSchema(from: number, to: number): z.ZodType<number, unknown> {
  const message = `expected a whole number from ${String(from)} to ${String(to)}`;
  const parsed = z.unknown().transform((given, context) => {
    const number = typeof given === 'string' && /^\d{1,15}$/.test(given) ? Number(given) : given;
    if (typeof number === 'number' && Number.isInteger(number) && number >= from && number <= to) return number;
    context.addIssue({ code: 'custom', message });
    return z.NEVER;
  });
  return parsed.meta({ type: ['integer', 'string'], minimum: from, maximum: to });
}

/** A key of the contract that this version does not carry: refused by name, never read and ignored. */
export function notInThisVersion(key: string): z.ZodOptional<z.ZodType<undefined, unknown>> {
  return z
    .unknown()
    .transform((_given, context) => {
      context.addIssue({ code: 'custom', params: AT_KEY, message: `\`${key}\` is not in this version` });
      return z.NEVER;
    })
    .optional()
    .meta({ not: {}, description: 'Not in this version.' });
}

const secretKeys = {
  env: z
    .string()
    .regex(/^[A-Za-z_][A-Za-z0-9_]*$/, 'expected the name of an environment variable')
    .optional(),
  file: z.string().min(1).optional(),
  secret: nameSchema.optional(),
  vault: notInThisVersion('vault'),
  awsSecretsManager: notInThisVersion('awsSecretsManager'),
};

interface GivenReference {
  readonly env?: string | undefined;
  readonly file?: string | undefined;
  readonly secret?: string | undefined;
}

function namesOnePlace({ env, file, secret }: GivenReference): boolean {
  return [env, file, secret].filter((place) => place !== undefined).length === 1;
}

const ONE_PLACE = { message: 'expected exactly one of `secret`, `env` and `file`' };

/** Where a secret comes from: exactly one of `{ secret }`, `{ env }` and `{ file }`; never the secret itself. */
export const secretSchema = z.strictObject(secretKeys).refine(namesOnePlace, ONE_PLACE);

/** The same with what is put before it, e.g. `Bearer `: visible ASCII and spaces, as a header takes it. */
export const prefixedSecretSchema = z
  .strictObject({
    ...secretKeys,
    prefix: z
      .string()
      .regex(/^[ -~]{0,100}$/, 'expected at most 100 visible characters')
      .optional(),
  })
  .refine(namesOnePlace, ONE_PLACE);

/** The key that the store is sealed under can't be in it; a key management service gives it by a program. */
export const masterKeySchema = z
  .strictObject({
    env: secretKeys.env,
    file: secretKeys.file,
    vault: secretKeys.vault,
    awsSecretsManager: secretKeys.awsSecretsManager,
    command: z.array(z.string().min(1)).min(1, 'expected a program and its arguments').optional(),
  })
  .refine(
    ({ env, file, command }) => [env, file, command].filter((place) => place !== undefined).length === 1,
    'expected exactly one of `env`, `file` and `command`',
  );

/** @param given with or without a prefix */
export function secretRef(given: GivenReference & { readonly prefix?: string | undefined }, base: string): SecretRef {
  const prefix = given.prefix === undefined ? {} : { prefix: given.prefix };
  if (given.secret !== undefined) return { secret: given.secret, ...prefix };
  if (given.env !== undefined) return { env: given.env, ...prefix };
  return { file: absolutePath(given.file ?? '', base), ...prefix };
}

/** Relative paths start at the folder of the file that names them. */
export function absolutePath(path: string, base: string): string {
  return isAbsolute(path) ? path : resolve(base, path);
}

/** An address or a network of the internet protocol, `10.0.0.7` or `10.0.0.0/8`; none that holds all addresses. */
export const networkSchema = z.string().superRefine((text, context) => {
  const [address = '', bits, more] = text.split('/');
  const family = isIP(address);
  const most = family === 4 ? 32 : 128;
  const given = bits === undefined ? most : /^\d{1,3}$/.test(bits) ? Number(bits) : Number.NaN;
  if (family === 0 || more !== undefined || !(given >= 0 && given <= most))
    context.addIssue({ code: 'custom', message: 'expected an address or a network as in 10.0.0.0/8' });
  else if (given === 0)
    context.addIssue({ code: 'custom', message: 'a network of all addresses would trust everybody' });
});

/** Is this host on the machine itself? `localhost`, 127.0.0.0/8 and ::1, with or without brackets. */
export function isLoopback(host: string): boolean {
  const bare = host.replace(/^\[(.*)\]$/, '$1');
  return bare === 'localhost' || bare === '::1' || /^127(?:\.(?:25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)){3}$/.test(bare);
}

/** `https://…`, or `http://…` on loopback; no user, query or fragment. Kept exactly as written. */
export const webUrlSchema = z.string().superRefine((text, context) => {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (
    url === undefined ||
    !['https:', 'http:'].includes(url.protocol) ||
    url.search !== '' ||
    url.hash !== '' ||
    url.username !== '' ||
    url.password !== ''
  ) {
    context.addIssue({
      code: 'custom',
      message: 'expected a URL such as https://id.example.com, without user, query or fragment',
    });
  } else if (url.protocol === 'http:' && !isLoopback(url.hostname)) {
    context.addIssue({ code: 'custom', message: 'plain http is possible on loopback only' });
  }
});

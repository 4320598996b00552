import { z } from 'zod';
import type { HttpConnection, HttpCredential, HttpType, SecretRef } from '../../core/resources.js';
import { groupsSchema } from '../../policy/schema.js';
import { numberSchema } from '../../policy/schema-number.js';
import { AT_KEY } from '../schema-faults.js';
import { absolutePath, prefixedSecretSchema, secretRef, secretSchema } from '../values.js';

/** Where each dialect takes its key, unless `headers` say otherwise. */
const KEY_HEADERS = {
  openai: { name: 'authorization', prefix: 'Bearer ' },
  anthropic: { name: 'x-api-key', prefix: undefined },
} as const;

/** Headers that belong to the transport, not to a credential. */
const NOT_CREDENTIALS = [
  'host',
  'connection',
  'content-length',
  'transfer-encoding',
  'upgrade',
  'te',
  'trailer',
  'keep-alive',
  'expect',
];

const HEADER_NAME = /^[A-Za-z0-9!#$%&'*+.^_`|~-]{1,100}$/;

/** Names in lower case, as they are sent; one that stands there twice, in whatever case, would be a silent choice. */
export const headersSchema = z.record(z.string(), prefixedSecretSchema).transform((given, context) => {
  const headers: Record<string, z.output<typeof prefixedSecretSchema>> = {};
  for (const [written, reference] of Object.entries(given)) {
    const name = written.toLowerCase();
    const fault = headerFault(name, headers);
    if (fault === undefined) headers[name] = reference;
    else context.addIssue({ code: 'custom', path: [written], params: AT_KEY, message: fault });
  }
  return headers;
});

/** What each header's value comes from. */
export function secretHeaders(
  given: z.output<typeof headersSchema>,
  base: string,
): Readonly<Record<string, SecretRef>> {
  return Object.fromEntries(Object.entries(given).map(([name, reference]) => [name, secretRef(reference, base)]));
}

function headerFault(name: string, before: object): string | undefined {
  if (!HEADER_NAME.test(name)) return 'expected the name of a header';
  if (NOT_CREDENTIALS.includes(name)) return 'this header belongs to the transport';
  return Object.hasOwn(before, name) ? 'this header stands twice' : undefined;
}

const upstreamUrl = z.string().transform((text, context) => {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  // Of `https://a/?` the parsed address has no query, and still ends in `?`.
  const plain = url !== undefined && !/[?#]/.test(text) && url.username === '' && url.password === '';
  if (plain && ['https:', 'http:'].includes(url.protocol)) return url.href.replace(/\/+$/, '');
  context.addIssue({
    code: 'custom',
    message: 'expected an address such as https://api.example.com, without user, query or fragment',
  });
  return z.NEVER;
});

const dollars = numberSchema(() => true, 'expected US dollars for a million tokens');

const priceSchema = z.strictObject({
  model: z.string().min(1),
  inputPerMillion: dollars,
  outputPerMillion: dollars,
  cachedInputPerMillion: dollars.optional(),
  cacheWritePerMillion: dollars.optional(),
});

const credentialKeys = {
  groups: groupsSchema.default(['*']),
  name: z.string().min(1).max(100).optional(),
  headers: headersSchema.default({}),
};

const plainCredential = z.strictObject(credentialKeys);

/** A credential whose key goes where the dialect takes it. */
function keyedCredential(type: 'openai' | 'anthropic') {
  const { name } = KEY_HEADERS[type];
  return z.strictObject({ ...credentialKeys, apiKey: secretSchema.optional() }).superRefine((given, issues) => {
    if (given.apiKey === undefined || !Object.hasOwn(given.headers, name)) return;
    issues.addIssue({ code: 'custom', path: ['apiKey'], params: AT_KEY, message: `\`headers\` hold \`${name}\` too` });
  });
}

const NO_CREDENTIAL = 'expected at least one credential; leave the key out for an upstream that asks for none';

/** The kinds of `spec` that speak HTTP. An upstream that asks for no key has no credentials: all callers are alike to it. */
export function httpSpecs<Access extends z.ZodType, Recorded extends z.ZodType>(access: Access, record: Recorded) {
  const shared = {
    url: upstreamUrl,
    ca: z.string().min(1).optional(),
    access,
    record: record.optional(),
    uninspected: z.enum(['block', 'allow']).default('block'),
  };
  const model = <Type extends 'openai' | 'anthropic'>(type: Type) =>
    z.strictObject({
      type: z.literal(type),
      ...shared,
      credentials: z.array(keyedCredential(type)).min(1, NO_CREDENTIAL).prefault([{}]),
      issuedKeys: z.enum(['block', 'allow']).default('block'),
      prices: z.array(priceSchema).default([]),
    });
  const credentials = z.array(plainCredential).min(1, NO_CREDENTIAL).prefault([{}]);
  return [
    z.strictObject({ type: z.literal('http'), ...shared, credentials }),
    model('openai'),
    model('anthropic'),
  ] as const;
}

type HttpSpec = z.output<ReturnType<typeof httpSpecs<z.ZodType, z.ZodType>>[number]>;

export function toHttpConnection(spec: HttpSpec, base: string): Omit<HttpConnection, 'name' | 'labels' | 'access'> {
  return {
    type: spec.type,
    url: spec.url,
    ...(spec.ca === undefined ? {} : { ca: absolutePath(spec.ca, base) }),
    uninspected: spec.uninspected,
    issuedKeys: 'issuedKeys' in spec ? spec.issuedKeys : 'allow',
    prices: 'prices' in spec ? spec.prices : [],
    credentials: spec.credentials.map((given) => toCredential(spec.type, given, base)),
  };
}

type GivenCredential = HttpSpec['credentials'][number];

function toCredential(type: HttpType, given: GivenCredential, base: string): HttpCredential {
  const headers: Record<string, SecretRef> = {};
  if ('apiKey' in given && given.apiKey !== undefined && type !== 'http') {
    const { name, prefix } = KEY_HEADERS[type];
    headers[name] = secretRef({ ...given.apiKey, prefix }, base);
  }
  Object.assign(headers, secretHeaders(given.headers, base));
  return { groups: given.groups, name: given.name ?? nameOf(Object.values(headers)), headers };
}

/** A credential that was given no name goes by that of its secret. */
function nameOf(references: readonly SecretRef[]): string {
  const [first] = references;
  if (first === undefined) return 'none';
  if ('env' in first) return first.env;
  return 'file' in first ? (first.file.split('/').at(-1) ?? 'file') : first.secret;
}

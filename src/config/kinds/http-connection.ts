import { z } from 'zod';
import type { HttpConnection, HttpCredential, HttpType, SecretRef } from '../../core/resources.js';
import { groupsSchema } from '../../policy/schema.js';
import { absolutePath, secretKeys, secretRef, secretSchema } from '../values.js';

/** Where each dialect takes its key, unless `headers` say otherwise. */
const KEY_HEADERS: Readonly<Record<HttpType, { readonly name: string; readonly prefix: string } | undefined>> = {
  http: undefined,
  openai: { name: 'authorization', prefix: 'Bearer ' },
  anthropic: { name: 'x-api-key', prefix: '' },
};

/** Headers that belong to the transport, not to a credential. */
const NOT_CREDENTIALS = ['host', 'connection', 'content-length', 'transfer-encoding', 'upgrade', 'te', 'trailer'];

const headerName = z
  .string()
  .regex(/^[A-Za-z0-9!#$%&'*+.^_`|~-]{1,100}$/, 'expected the name of a header')
  .transform((name) => name.toLowerCase())
  .refine((name) => !NOT_CREDENTIALS.includes(name), 'this header belongs to the transport');

const upstreamUrl = z.string().transform((text, context) => {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  const plain = url !== undefined && url.search === '' && url.hash === '' && url.username === '' && url.password === '';
  if (plain && ['https:', 'http:'].includes(url.protocol)) return url.href.replace(/\/+$/, '');
  context.addIssue({
    code: 'custom',
    message: 'expected an address such as https://api.example.com, without user, query or fragment',
  });
  return z.NEVER;
});

const priceSchema = z.strictObject({
  model: z.string().min(1),
  inputPerMillion: z.number().min(0),
  outputPerMillion: z.number().min(0),
});

/** The two or three kinds of `spec` that speak HTTP. */
export function httpSpecs<Access extends z.ZodType>(access: Access) {
  const shared = {
    url: upstreamUrl,
    ca: z.string().min(1).optional(),
    access,
    uninspected: z.enum(['block', 'allow']).default('block'),
  };
  const headers = z.record(headerName, z.strictObject({ ...secretKeys, prefix: z.string().optional() })).default({});
  const credential = { groups: groupsSchema.default(['*']), name: z.string().min(1).optional(), headers };
  const plain = z.strictObject(credential);
  const keyed = z.strictObject({ ...credential, apiKey: secretSchema.optional() });
  const model = { ...shared, credentials: z.array(keyed).default([ANYONE]), prices: z.array(priceSchema).default([]) };
  return [
    z.strictObject({ type: z.literal('http'), ...shared, credentials: z.array(plain).default([ANYONE]) }),
    z.strictObject({ type: z.literal('openai'), ...model }),
    z.strictObject({ type: z.literal('anthropic'), ...model }),
  ] as const;
}

/** An upstream that asks for no key: everyone who may use the connection may use it so. */
const ANYONE = { groups: ['*'], headers: {} };

type HttpSpec = z.output<ReturnType<typeof httpSpecs<z.ZodType>>[number]>;

export function toHttpConnection(spec: HttpSpec, base: string): Omit<HttpConnection, 'name' | 'labels' | 'access'> {
  return {
    type: spec.type,
    url: spec.url,
    ...(spec.ca === undefined ? {} : { ca: absolutePath(spec.ca, base) }),
    uninspected: spec.uninspected,
    prices: 'prices' in spec ? spec.prices : [],
    credentials: spec.credentials.map((given) => toCredential(spec.type, given, base)),
  };
}

type GivenCredential = HttpSpec['credentials'][number];

function toCredential(type: HttpType, given: GivenCredential, base: string): HttpCredential {
  const headers: Record<string, SecretRef> = {};
  const apiKey = 'apiKey' in given ? given.apiKey : undefined;
  const place = KEY_HEADERS[type];
  if (apiKey !== undefined && place !== undefined) {
    const reference = secretRef(apiKey, base);
    headers[place.name] = place.prefix === '' ? reference : { ...reference, prefix: place.prefix };
  }
  for (const [name, { prefix, ...reference }] of Object.entries(given.headers)) {
    headers[name] = { ...secretRef(reference, base), ...(prefix === undefined ? {} : { prefix }) };
  }
  return { groups: given.groups, name: given.name ?? nameOf(Object.values(headers)), headers };
}

/** A credential that was given no name goes by that of its secret. */
function nameOf(references: readonly SecretRef[]): string {
  const [first] = references;
  if (first === undefined) return 'none';
  if ('env' in first) return first.env;
  return 'file' in first ? (first.file.split('/').at(-1) ?? 'file') : first.secret;
}

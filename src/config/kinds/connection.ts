import { z } from 'zod';
import type { RecordBounds } from '../../core/output-digest.js';
import type { ConnectionResource } from '../../core/resources.js';
import { groupsSchema, nameSchema } from '../../policy/schema.js';
import { AT_KEY } from '../schema-faults.js';
import { absolutePath, durationSchema, integerSchema, secretRef, secretSchema, sizeSchema } from '../values.js';
import { httpSpecs, toHttpConnection } from './http-connection.js';

const DEFAULT_PORT = 5432;
const DEFAULT_CATALOG_TTL_MS = 5_000;
const MAX_RECORDED_BYTES = 4 * 2 ** 20;

const ADDRESS = /^(?:\[([0-9A-Fa-f:.%]+)\]|([^\s:/[\]@]+))(?::(\d{1,5}))?$/;

/** `host`, `host:port` or `[ipv6]:port`; the port is 5432 where it is left out. */
export const addressSchema = z.string().transform((text, context) => {
  const parts = ADDRESS.exec(text);
  const host = parts?.[1] ?? parts?.[2];
  const port = Number(parts?.[3] ?? DEFAULT_PORT);
  if (host !== undefined && port > 0 && port <= 65_535) return { host, port };
  context.addIssue({ code: 'custom', message: 'expected host:port, an IPv6 address in brackets' });
  return z.NEVER;
});

const accessSchema = z.strictObject({
  groups: groupsSchema,
  approval: nameSchema.optional(),
  maxDuration: durationSchema.optional(),
});

/** A line of a recording has 32 MiB at most, and its session keeps it in memory until the output has ended. */
const recordSchema = z.strictObject({
  rows: integerSchema(0, 10_000).optional(),
  bytes: sizeSchema.refine((bytes) => bytes <= MAX_RECORDED_BYTES, 'expected at most 4MiB').optional(),
  hashBytes: z.union([z.literal(0), sizeSchema]).optional(),
});
const recordedBody = recordSchema.omit({ rows: true });

const postgresSpec = z.strictObject({
  type: z.literal('postgres'),
  address: addressSchema,
  database: z.string().min(1),
  databases: z.array(z.string().min(1)).default([]),
  replication: z.boolean().default(false),
  tls: z
    .strictObject({
      mode: z.enum(['disable', 'require', 'verify-ca', 'verify-full']).default('verify-full'),
      ca: z.string().min(1).optional(),
    })
    .prefault({}),
  credentials: z
    .array(
      z
        .strictObject({
          groups: groupsSchema.default(['*']),
          username: z.string().min(1),
          password: secretSchema.optional(),
          rotation: z.strictObject({ every: durationSchema }).optional(),
        })
        .superRefine(({ password, rotation }, issues) => {
          if (rotation !== undefined && password?.secret === undefined)
            issues.addIssue({
              code: 'custom',
              path: ['rotation'],
              params: AT_KEY,
              message: 'only a password of the secret store can be changed: `password: { secret: NAME }`',
            });
        }),
    )
    .min(1, 'expected at least one credential'),
  access: accessSchema,
  record: recordSchema.optional(),
  catalogTtl: durationSchema.default(DEFAULT_CATALOG_TTL_MS),
});

export const connectionSchema = z.strictObject({
  apiVersion: z.literal('hoop/v1'),
  kind: z.literal('Connection'),
  metadata: z.strictObject({ name: nameSchema, labels: z.record(z.string(), z.string()).default({}) }),
  spec: z.discriminatedUnion('type', [postgresSpec, ...httpSpecs(accessSchema, recordedBody)]),
});

type ConnectionOutput = z.output<typeof connectionSchema>;

export function toConnection(resource: ConnectionOutput, base: string): ConnectionResource {
  const { metadata, spec } = resource;
  const { access, record } = spec;
  const shared = {
    name: metadata.name,
    labels: metadata.labels,
    access: {
      groups: access.groups,
      ...(access.approval === undefined ? {} : { approval: access.approval }),
      ...(access.maxDuration === undefined ? {} : { maxDurationMs: access.maxDuration }),
    },
    ...(record === undefined ? {} : { record: definedOf(record) }),
  };
  if (spec.type !== 'postgres') return { ...shared, ...toHttpConnection(spec, base) };
  const { address, tls, credentials, catalogTtl, access: _access, record: _record, ...plain } = spec;
  return {
    ...shared,
    ...plain,
    ...address,
    tls: { mode: tls.mode, ...(tls.ca === undefined ? {} : { ca: absolutePath(tls.ca, base) }) },
    credentials: credentials.map(({ groups, username, password, rotation }) => ({
      groups,
      username,
      ...(password === undefined ? {} : { password: secretRef(password, base) }),
      ...(rotation === undefined ? {} : { rotateEveryMs: rotation.every }),
    })),
    catalogTtlMs: catalogTtl,
  };
}

/** Without keys that are there and undefined. */
function definedOf(record: z.output<typeof recordSchema>): Partial<RecordBounds> {
  return Object.fromEntries(Object.entries(record).filter(([, value]) => value !== undefined));
}

import { z } from 'zod';
import type { AgentResource, Limits, MasterKeyRef, TracingSettings } from '../../core/resources.js';
import { groupsSchema } from '../../policy/schema.js';
import {
  absolutePath,
  durationSchema,
  integerSchema,
  isLoopback,
  masterKeySchema,
  networkSchema,
  notInThisVersion,
  secretRef,
  sizeSchema,
  webUrlSchema,
} from '../values.js';
import { envelope } from './envelope.js';
import { toUploadTarget, uploadSchema } from './upload.js';
import { headersSchema, secretHeaders } from './http-connection.js';
import { postUrl } from './sink.js';

const DEFAULT_LIMITS = {
  statementBytes: 8 * 2 ** 20,
  rowBytes: 256 * 2 ** 20,
  bodyBytes: 16 * 2 ** 20,
  sessions: 1_000,
  loginsPerMinute: 600,
};

const listenSchema = z
  .strictObject({
    host: z.string().min(1).default('127.0.0.1'),
    port: integerSchema(0, 65_535).default(8443),
    tls: z.strictObject({ cert: z.string().min(1), key: z.string().min(1) }).optional(),
    trustedProxies: z.array(networkSchema).default([]),
  })
  .superRefine((listen, context) => {
    if (listen.tls === undefined && !isLoopback(listen.host)) {
      context.addIssue({ code: 'custom', path: ['host'], message: '`tls` may be left out on loopback only' });
    }
  });

const storeSchema = z.strictObject({
  driver: z
    .enum(['sqlite', 'postgres'])
    .refine((driver) => driver === 'sqlite', 'store driver postgres is not in this version'),
  path: z.string().min(1).default('./state/hoop.db'),
  url: notInThisVersion('url'),
});

const limitsSchema = z.strictObject({
  statementBytes: sizeSchema.default(DEFAULT_LIMITS.statementBytes),
  rowBytes: sizeSchema.default(DEFAULT_LIMITS.rowBytes),
  bodyBytes: sizeSchema.default(DEFAULT_LIMITS.bodyBytes),
  sessionBytes: sizeSchema.optional(),
  sessions: integerSchema(1, 1_000_000).default(DEFAULT_LIMITS.sessions),
  loginsPerMinute: integerSchema(1, 1_000_000).default(DEFAULT_LIMITS.loginsPerMinute),
});

const tracingSchema = z.strictObject({
  url: postUrl,
  headers: headersSchema.default({}),
  ca: z.string().min(1).optional(),
  ratio: z.number().min(0).max(1).default(1),
});

export const agentSchema = envelope(
  'Agent',
  z.strictObject({
    listen: listenSchema.prefault({}),
    publicUrl: webUrlSchema.optional(),
    store: storeSchema.prefault({ driver: 'sqlite' }),
    recordings: z
      .strictObject({
        dir: z.string().min(1).default('./recordings'),
        durability: z.enum(['flush', 'sync']).default('flush'),
        retention: durationSchema.optional(),
        maxBytes: sizeSchema.optional(),
        compress: z.enum(['brotli', 'none']).default('none'),
        upload: uploadSchema.optional(),
      })
      .prefault({}),
    masterKey: masterKeySchema,
    roles: z
      .strictObject({
        admin: z.strictObject({ groups: groupsSchema }).optional(),
        auditor: z.strictObject({ groups: groupsSchema }).optional(),
      })
      .default({}),
    limits: limitsSchema.prefault({}),
    tracing: tracingSchema.optional(),
  }),
);

export function toAgent(resource: z.output<typeof agentSchema>, base: string): AgentResource {
  const { listen, publicUrl, store, recordings, masterKey, roles, limits, tracing } = resource.spec;
  const tls =
    listen.tls === undefined
      ? {}
      : { tls: { cert: absolutePath(listen.tls.cert, base), key: absolutePath(listen.tls.key, base) } };
  return {
    name: resource.metadata.name,
    listen: { host: listen.host, port: listen.port, ...tls, trustedProxies: listen.trustedProxies },
    ...(publicUrl === undefined ? {} : { publicUrl }),
    store: { driver: 'sqlite', path: absolutePath(store.path, base) },
    recordings: {
      dir: absolutePath(recordings.dir, base),
      durability: recordings.durability,
      ...(recordings.retention === undefined ? {} : { retentionMs: recordings.retention }),
      ...(recordings.maxBytes === undefined ? {} : { maxBytes: recordings.maxBytes }),
      ...(recordings.compress === 'brotli' ? { compress: recordings.compress } : {}),
      ...(recordings.upload === undefined ? {} : { upload: toUploadTarget(recordings.upload, base) }),
    },
    masterKey: masterKeyOf(masterKey, base),
    roles: { admin: roles.admin?.groups ?? [], auditor: roles.auditor?.groups ?? [] },
    limits: limitsOf(limits),
    ...(tracing === undefined ? {} : { tracing: tracingOf(tracing, base) }),
  };
}

/** Left out, a session may hold twice the largest message; where it is given, no message may be larger. */
function limitsOf({ sessionBytes, ...limits }: z.output<typeof limitsSchema>): Limits {
  const { statementBytes, rowBytes, bodyBytes } = limits;
  if (sessionBytes === undefined) return { ...limits, sessionBytes: 2 * Math.max(statementBytes, rowBytes, bodyBytes) };
  const most = (bytes: number): number => Math.min(bytes, sessionBytes);
  const messages = { statementBytes: most(statementBytes), rowBytes: most(rowBytes), bodyBytes: most(bodyBytes) };
  return { ...limits, ...messages, sessionBytes };
}

function tracingOf({ url, headers, ca, ratio }: z.output<typeof tracingSchema>, base: string): TracingSettings {
  return {
    url,
    headers: secretHeaders(headers, base),
    ...(ca === undefined ? {} : { ca: absolutePath(ca, base) }),
    ratio,
  };
}

function masterKeyOf(given: z.output<typeof masterKeySchema>, base: string): MasterKeyRef {
  if (given.command === undefined) return secretRef(given, base);
  const [program = '', ...args] = given.command;
  // A bare name is looked for in PATH, as a shell would.
  return { command: [program.includes('/') ? absolutePath(program, base) : program, ...args] };
}

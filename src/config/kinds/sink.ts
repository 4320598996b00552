import { z } from 'zod';
import { nearest } from '../../core/nearest.js';
import { matchesGlob } from '../../core/glob.js';
import type { SinkResource } from '../../core/resources.js';
import { SINK_EVENTS } from '../../core/sink-event.js';
import { absolutePath, integerSchema, isLoopback, secretRef, secretSchema, sizeSchema } from '../values.js';
import { envelope } from './envelope.js';
import { headersSchema, secretHeaders } from './http-connection.js';
import { slackButtonsSchema, toSlackButtons } from './slack-buttons.js';

const DEFAULT_QUEUE_BYTES = 64 * 2 ** 20;
const DEFAULT_FILE_BYTES = 64 * 2 ** 20;
const DEFAULT_FILES_KEPT = 5;
/** RFC 5425 section 4.1: syslog over TLS. */
const SYSLOG_TLS_PORT = 6514;

/** An address may end in a query: that of Teams holds its key. Shown nowhere, since whoever knows it may post. */
export const postUrl = z.string().superRefine((text, context) => {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || !['https:', 'http:'].includes(url.protocol) || url.username !== '' || url.hash !== '')
    context.addIssue({ code: 'custom', message: 'expected an address such as https://hooks.example.com/hoop' });
  else if (url.protocol === 'http:' && !isLoopback(url.hostname))
    context.addIssue({ code: 'custom', message: 'plain http is possible on loopback only' });
});

const syslogAddress = z.string().transform((text, context) => {
  const parts = /^(?:\[([0-9A-Fa-f:.]+)\]|([^\s:/[\]@]+))(?::(\d{1,5}))?$/.exec(text);
  const host = parts?.[1] ?? parts?.[2];
  const port = Number(parts?.[3] ?? SYSLOG_TLS_PORT);
  if (host !== undefined && port > 0 && port <= 65_535) return { host, port };
  context.addIssue({ code: 'custom', message: 'expected host:port, an IPv6 address in brackets' });
  return z.NEVER;
});

const eventPattern = z.string().superRefine((pattern, context) => {
  if (SINK_EVENTS.some((name) => matchesGlob(pattern, name))) return;
  const near = nearest(pattern, SINK_EVENTS);
  const hint =
    near === undefined
      ? `one of ${SINK_EVENTS.join(', ')}, or a pattern such as approval.*`
      : `did you mean \`${near}\`?`;
  context.addIssue({ code: 'custom', message: `no event has this name; ${hint}` });
});

const shared = {
  events: z.array(eventPattern).default([]),
  queue: z.strictObject({ maxBytes: sizeSchema.default(DEFAULT_QUEUE_BYTES) }).prefault({}),
};
const caFile = z.string().min(1).optional();

export const sinkSchema = envelope(
  'Sink',
  z.discriminatedUnion('type', [
    z.strictObject({
      type: z.literal('webhook'),
      url: postUrl,
      secret: secretSchema,
      headers: headersSchema.default({}),
      ca: caFile,
      ...shared,
    }),
    z.strictObject({
      type: z.literal('slack'),
      url: postUrl,
      ca: caFile,
      buttons: slackButtonsSchema.optional(),
      ...shared,
    }),
    z.strictObject({ type: z.literal('teams'), url: postUrl, ca: caFile, ...shared }),
    z.strictObject({
      type: z.literal('file'),
      path: z.string().min(1),
      maxBytes: sizeSchema.default(DEFAULT_FILE_BYTES),
      keep: integerSchema(1, 1_000).default(DEFAULT_FILES_KEPT),
      ...shared,
    }),
    z.strictObject({ type: z.literal('syslog'), address: syslogAddress, ca: caFile, ...shared }),
    z.strictObject({
      type: z.literal('otlp'),
      url: postUrl,
      headers: headersSchema.default({}),
      ca: caFile,
      ...shared,
    }),
  ]),
);

export function toSink({ metadata, spec }: z.output<typeof sinkSchema>, base: string): SinkResource {
  const common = { name: metadata.name, events: spec.events, queueBytes: spec.queue.maxBytes };
  if (spec.type === 'file')
    return {
      ...common,
      type: 'file',
      path: absolutePath(spec.path, base),
      maxBytes: spec.maxBytes,
      keep: spec.keep,
    };
  const ca = spec.ca === undefined ? {} : { ca: absolutePath(spec.ca, base) };
  if (spec.type === 'syslog') return { ...common, ...ca, type: 'syslog', ...spec.address };
  if (spec.type === 'teams') return { ...common, ...ca, type: 'teams', url: spec.url };
  if (spec.type === 'slack') {
    const buttons = spec.buttons === undefined ? {} : { buttons: toSlackButtons(spec.buttons, base) };
    return { ...common, ...ca, type: 'slack', url: spec.url, ...buttons };
  }
  const headers = secretHeaders(spec.headers, base);
  if (spec.type === 'otlp') return { ...common, ...ca, type: 'otlp', url: spec.url, headers };
  return { ...common, ...ca, type: 'webhook', url: spec.url, headers, secret: secretRef(spec.secret, base) };
}

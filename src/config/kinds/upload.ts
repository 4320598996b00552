import { z } from 'zod';
import type { UploadTarget } from '../../core/resources.js';
import { absolutePath, secretRef, secretSchema, webUrlSchema } from '../values.js';

/** @see https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html */
const bucketSchema = z
  .string()
  .regex(
    /^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/,
    'expected the name of a bucket: lower-case letters, digits, dots and dashes',
  );
const prefixSchema = z
  .string()
  .regex(/^(?:[\w.-]+\/)*[\w.-]*$/, 'expected a path such as hoop/prod: letters, digits, dots, dashes, underscores')
  .refine(
    (prefix) => !prefix.split('/').some((part) => part === '.' || part === '..'),
    'expected a path without dots alone',
  );

/** Where closed recordings are copied to. */
export const uploadSchema = z.strictObject({
  type: z.literal('s3').default('s3'),
  endpoint: webUrlSchema.optional(),
  region: z
    .string()
    .regex(/^[a-z0-9-]{1,64}$/, 'expected a region such as eu-central-1')
    .default('us-east-1'),
  bucket: bucketSchema,
  prefix: prefixSchema.default(''),
  pathStyle: z.boolean().optional(),
  ca: z.string().min(1).optional(),
  accessKeyId: secretSchema,
  secretAccessKey: secretSchema,
  sessionToken: secretSchema.optional(),
});

/** Without an endpoint it is Amazon's for the region. Others are asked with the bucket in the path, which all of them know. */
export function toUploadTarget(upload: z.output<typeof uploadSchema>, base: string): UploadTarget {
  const { endpoint, region, bucket, prefix, ca, accessKeyId, secretAccessKey, sessionToken } = upload;
  // A name with dots fits no certificate as a part of a host's name.
  const pathStyle = upload.pathStyle ?? (endpoint !== undefined || bucket.includes('.'));
  return {
    endpoint: (endpoint ?? `https://s3.${region}.amazonaws.com`).replace(/\/$/, ''),
    ...{ region, bucket, pathStyle },
    prefix: prefix === '' || prefix.endsWith('/') ? prefix : `${prefix}/`,
    ...(ca === undefined ? {} : { ca: absolutePath(ca, base) }),
    accessKeyId: secretRef(accessKeyId, base),
    secretAccessKey: secretRef(secretAccessKey, base),
    ...(sessionToken === undefined ? {} : { sessionToken: secretRef(sessionToken, base) }),
  };
}

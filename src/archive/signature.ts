import { createHash, createHmac } from 'node:crypto';

/** Who signs. */
export interface ArchiveCredentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  /** Of credentials that end by themselves. */
  readonly sessionToken?: string;
}

/** A request as it goes over the wire; all of it is signed. */
export interface UnsignedRequest {
  readonly method: 'GET' | 'PUT' | 'POST' | 'DELETE';
  /** With the port where it is not the scheme's own. */
  readonly host: string;
  /** Encoded as `encodePath` does. */
  readonly path: string;
  /** Names and values, not encoded. */
  readonly query?: readonly (readonly [name: string, value: string])[];
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  /** Hex SHA-256 of the body. */
  readonly bodyHash: string;
}

const ALGORITHM = 'AWS4-HMAC-SHA256';
const SERVICE = 's3';

/**
 * Signs a request to an S3-compatible store with Signature Version 4, body and every header included.
 *
 * ```
 * key       = HMAC(HMAC(HMAC(HMAC("AWS4" + secret, day), region), "s3"), "aws4_request")
 * signature = HMAC(key, "AWS4-HMAC-SHA256" \n time \n day/region/s3/aws4_request \n SHA-256(canonical request))
 * ```
 *
 * @param nowMs since the epoch; a store refuses what is a quarter of an hour off its own clock
 * @returns the headers to be sent, `authorization` among them
 * @see https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html
 */
export function signedHeaders(
  request: UnsignedRequest,
  credentials: ArchiveCredentials,
  region: string,
  nowMs: number,
): Readonly<Record<string, string>> {
  const time = new Date(nowMs).toISOString().replace(/[-:]|\.\d{3}/g, '');
  const day = time.slice(0, 8);
  const { sessionToken } = credentials;
  const headers: Record<string, string> = {
    ...request.headers,
    host: request.host,
    'x-amz-content-sha256': request.bodyHash,
    'x-amz-date': time,
    ...(sessionToken === undefined ? {} : { 'x-amz-security-token': sessionToken }),
  };
  const names = Object.keys(headers).sort();
  const canonical = [
    request.method,
    request.path,
    queryText(request.query ?? []),
    ...names.map((name) => `${name}:${(headers[name] ?? '').trim().replace(/ +/g, ' ')}`),
    '',
    names.join(';'),
    request.bodyHash,
  ].join('\n');
  const scope = `${day}/${region}/${SERVICE}/aws4_request`;
  const text = [ALGORITHM, time, scope, createHash('sha256').update(canonical).digest('hex')].join('\n');
  const key = [day, region, SERVICE, 'aws4_request'].reduce<Buffer>(
    (sealed, part) => createHmac('sha256', sealed).update(part).digest(),
    Buffer.from(`AWS4${credentials.secretAccessKey}`),
  );
  const signature = createHmac('sha256', key).update(text).digest('hex');
  const authorization = `${ALGORITHM} Credential=${credentials.accessKeyId}/${scope},SignedHeaders=${names.join(';')},Signature=${signature}`;
  return { ...headers, authorization };
}

/** The query as it is signed and sent: names in order, each encoded; empty for none. */
export function queryText(query: readonly (readonly [name: string, value: string])[]): string {
  return query
    .map(([name, value]) => `${encodePart(name)}=${encodePart(value)}`)
    .sort()
    .join('&');
}

/** A path in which only slashes and RFC 3986's unreserved characters stand for themselves. */
export function encodePath(path: string): string {
  return path.split('/').map(encodePart).join('/');
}

/** `encodeURIComponent` leaves five characters alone that a signature wants encoded. */
function encodePart(text: string): string {
  return encodeURIComponent(text).replace(/[!'()*]/g, (sign) => `%${sign.charCodeAt(0).toString(16).toUpperCase()}`);
}

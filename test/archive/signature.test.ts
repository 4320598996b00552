import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';

import { encodePath, signedHeaders, type UnsignedRequest } from '../../src/archive/signature.js';

/** The examples of https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html */
const CREDENTIALS = {
  accessKeyId: 'AKIAIOSFODNN7EXAMPLE',
  secretAccessKey: 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY',
};
const NOW_MS = Date.UTC(2013, 4, 24);
const hashOf = (text: string): string => createHash('sha256').update(text).digest('hex');
const signatureOf = (request: Omit<UnsignedRequest, 'host'>): string | undefined =>
  /Signature=([0-9a-f]{64})$/.exec(
    signedHeaders({ host: 'examplebucket.s3.amazonaws.com', ...request }, CREDENTIALS, 'us-east-1', NOW_MS)[
      'authorization'
    ] ?? '',
  )?.[1];

describe('the signature of requests to an object store', () => {
  it('is the one that AWS publishes for GET of an object with a range', () => {
    const request = {
      method: 'GET',
      path: '/test.txt',
      headers: { range: 'bytes=0-9' },
      bodyHash: hashOf(''),
    } as const;
    expect(signatureOf(request)).toBe('f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41');
  });

  it('is the one that AWS publishes for PUT of an object', () => {
    const headers = { date: 'Fri, 24 May 2013 00:00:00 GMT', 'x-amz-storage-class': 'REDUCED_REDUNDANCY' };
    const bodyHash = hashOf('Welcome to Amazon S3.');
    const path = encodePath('/test$file.text');
    expect(path).toBe('/test%24file.text');
    expect(signatureOf({ method: 'PUT', path, headers, bodyHash })).toBe(
      '98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd',
    );
  });

  it('is the one that AWS publishes for a query without a value', () => {
    const query = [['lifecycle', '']] as const;
    expect(signatureOf({ method: 'GET', path: '/', query, headers: {}, bodyHash: hashOf('') })).toBe(
      'fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543',
    );
  });

  it('is the one that AWS publishes for a query of two, in whatever order they come', () => {
    const query = [
      ['prefix', 'J'],
      ['max-keys', '2'],
    ] as const;
    expect(signatureOf({ method: 'GET', path: '/', query, headers: {}, bodyHash: hashOf('') })).toBe(
      '34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7',
    );
  });

  it('covers the token of credentials that end by themselves', () => {
    const request = { method: 'PUT', host: 'h', path: '/x', headers: {}, bodyHash: hashOf('') } as const;
    const headers = signedHeaders(request, { ...CREDENTIALS, sessionToken: 'abc' }, 'r', NOW_MS);
    expect(headers['x-amz-security-token']).toBe('abc');
    expect(headers['authorization']).toContain('x-amz-security-token');
  });

  it('leaves nothing but unreserved characters and slashes in a path', () => {
    expect(encodePath("/a b/ü!'()*~._-/c")).toBe('/a%20b/%C3%BC%21%27%28%29%2A~._-/c');
  });
});

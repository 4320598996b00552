import { describe, expect, it } from 'vitest';
import { load, resource } from './config-fixtures.js';

const KEYS = 'accessKeyId: { secret: s3-id }, secretAccessKey: { file: s3.key }';
const agent = (upload: string): string =>
  resource('Agent', 'a', `  masterKey: { env: K }\n  recordings: { upload: { ${upload} } }\n`);
const loaded = (upload: string) => load({ 'a.yaml': agent(upload) }, {}, { requireAgent: false });
const faultsOf = async (upload: string): Promise<string[]> =>
  (await loaded(upload)).faults.map((fault) => fault.replace(/^a\.yaml:\d+:\d+: /, ''));

describe('how much of an output is recorded', () => {
  const spec = (record: string): string =>
    resource(
      'Connection',
      'api',
      `  { type: http, url: "https://x.example", access: { groups: [a] }, record: ${record} }\n`,
    );
  it('is said by the connection, in rows only where there are any', async () => {
    const good = await load({ 'a.yaml': spec('{ bytes: 1MiB, hashBytes: 0 }') }, {}, { requireAgent: false });
    expect(good.resources?.connections[0]?.record).toEqual({ bytes: 2 ** 20, hashBytes: 0 });
    const { faults } = await load({ 'a.yaml': spec('{ rows: 3, bytes: 5MiB }') }, {}, { requireAgent: false });
    expect(faults.join()).toContain('expected at most 4MiB');
    expect(faults.join()).toContain('unknown key `rows`');
  });
});

describe('where recordings are copied to', () => {
  it('is the store of Amazon for the region, unless an endpoint is given', async () => {
    const { resources, dir } = await loaded(`bucket: hoop-rec, region: eu-central-1, ${KEYS}`);
    expect(resources?.agent?.recordings.upload).toEqual({
      ...{ endpoint: 'https://s3.eu-central-1.amazonaws.com', region: 'eu-central-1', bucket: 'hoop-rec', prefix: '' },
      ...{ pathStyle: false, accessKeyId: { secret: 's3-id' }, secretAccessKey: { file: `${dir}/s3.key` } },
    });
  });

  it('has the bucket in the path where an endpoint is given or its name has dots', async () => {
    const own = await loaded(
      `endpoint: "https://s3.corp.example:9000/", bucket: b01, prefix: hoop/prod, ca: ./ca.pem, ${KEYS}`,
    );
    expect(own.resources?.agent?.recordings.upload).toMatchObject({
      ...{ endpoint: 'https://s3.corp.example:9000', region: 'us-east-1', prefix: 'hoop/prod/', pathStyle: true },
      ca: `${own.dir}/ca.pem`,
    });
    const dotted = await loaded(`bucket: rec.corp.example, ${KEYS}`);
    expect(dotted.resources?.agent?.recordings.upload?.pathStyle).toBe(true);
  });

  it.each([
    ['no bucket', KEYS, '`spec.recordings.upload.bucket`: is missing'],
    ['no key', 'bucket: b01, accessKeyId: { env: A }', '`spec.recordings.upload.secretAccessKey`: is missing'],
    [
      'a secret in the file itself',
      'bucket: b01, accessKeyId: AKIA, secretAccessKey: { env: B }',
      'spec.recordings.upload.accessKeyId',
    ],
    [
      'plain http elsewhere',
      `bucket: b01, endpoint: "http://s3.example", ${KEYS}`,
      'plain http is possible on loopback only',
    ],
    ['a bucket in capitals', `bucket: Recordings, ${KEYS}`, 'expected the name of a bucket'],
    ['a prefix that climbs', `bucket: b01, prefix: ../other, ${KEYS}`, 'expected a path without dots alone'],
    [
      'a misspelt key',
      `bucket: b01, acessKeyId: { env: A }, ${KEYS}`,
      'unknown key `acessKeyId`; did you mean `accessKeyId`?',
    ],
  ])('is refused with %s', async (_name, upload, fault) => {
    expect(await faultsOf(upload)).toEqual([expect.stringContaining(fault)]);
  });
});

import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { LiveResources } from '../../src/agent/resources/live-resources.js';
import { warnOfMissing } from '../../src/agent/credentials/missing-secrets.js';
import { validateAgent } from '../../src/agent/validate.js';
import { HoopError } from '../../src/core/errors.js';
import { createSecretResolver } from '../../src/secrets/resolver.js';
import { makeFolder } from '../support/folders.js';
import { agentDocuments } from './agent-documents.js';

const FILES = (connection: string, listen?: string): string => `${agentDocuments(listen)}---
apiVersion: hoop/v1
kind: Connection
metadata: { name: shop }
spec: { ${connection}, access: { groups: ['*'] } }
`;
const POSTGRES =
  'type: postgres, address: db.example.com, database: shop, credentials: [{ username: app, password: { env: MASTER_KEY } }]';
const HTTP = 'type: http, url: https://crm.example.com';
const ENV = { MASTER_KEY: Buffer.alloc(32, 7).toString('base64') };

describe('what a start would find missing', () => {
  let dir: string;

  const pair = (name: string): void => {
    const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-keyout', `${name}.key`];
    execFileSync('openssl', ['req', '-x509', ...key, '-subj', '/CN=localhost', '-out', `${name}.crt`], {
      cwd: dir,
      stdio: 'ignore',
    });
  };

  const validate = async (connection: string, listen?: string): Promise<unknown> => {
    writeFileSync(join(dir, 'all.yaml'), FILES(connection, listen));
    return validateAgent(dir, ENV, () => undefined).catch((error: unknown) =>
      error instanceof HoopError ? `${error.code} ${error.message} (${error.why ?? ''})` : error,
    );
  };

  beforeAll(() => {
    dir = makeFolder('validate');
    pair('one');
    pair('other');
    writeFileSync(join(dir, 'none.pem'), 'no certificate');
    writeFileSync(join(dir, 'torn.pem'), '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n');
  });

  it('is a file of roots that is not there, or that holds none, of any connection', async () => {
    const unread = 'config_invalid connection shop: the file of `ca` can not be read (ENOENT)';
    const none =
      'config_invalid connection shop: the file of `ca` holds no certificates (expected certificates in PEM form)';
    expect(await validate(`${POSTGRES}, tls: { ca: ./gone.pem }`)).toBe(unread);
    expect(await validate(`${HTTP}, ca: ./gone.pem`)).toBe(unread);
    expect(await validate(`${POSTGRES}, tls: { ca: ./none.pem }`)).toBe(none);
    expect(await validate(`${HTTP}, ca: ./torn.pem`)).toBe(none);
    for (const connection of [`${POSTGRES}, tls: { ca: ./one.crt }`, `${HTTP}, ca: ./one.crt`, POSTGRES])
      expect(await validate(connection)).toEqual({ connections: 1, policies: 0 });
  });

  it('is said by a start that goes on without', async () => {
    writeFileSync(join(dir, 'all.yaml'), FILES(`${HTTP}, ca: ./gone.pem`));
    const said: unknown[] = [];
    const resolve = createSecretResolver({
      env: ENV,
      readFile: () => Promise.reject(new Error()),
      warn: () => undefined,
    });
    await warnOfMissing(await LiveResources.load(dir, ENV), resolve, {
      warn: (message, more) => said.push(message, more),
    });
    expect(said).toEqual(['connection shop can not be used yet: the file of `ca` can not be read', { why: 'ENOENT' }]);
  });

  it('is a certificate of listen.tls that the key does not belong to', async () => {
    const tls = (key: string): string => `{ port: 0, tls: { cert: ./one.crt, key: ./${key}.key } }`;
    expect(await validate(POSTGRES, tls('one'))).toEqual({ connections: 1, policies: 0 });
    expect(await validate(POSTGRES, tls('other'))).toContain('do not belong together');
  });
});

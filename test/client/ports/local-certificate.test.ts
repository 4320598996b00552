import { X509Certificate } from 'node:crypto';
import { chmodSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { localCertificate } from '../../../src/client/ports/local-certificate.js';
import { makeFolder } from '../../support/folders.js';

const DAY_MS = 86_400_000;

describe('the certificate of local ports', () => {
  let folder: string;
  beforeEach(() => {
    folder = makeFolder('certificate');
  });

  it('names localhost, 127.0.0.1 and ::1, is of ECDSA P-256, and no authority', async () => {
    const { cert } = await localCertificate(folder);
    const certificate = new X509Certificate(cert);
    expect(certificate.subjectAltName).toBe('DNS:localhost, IP Address:127.0.0.1, IP Address:0:0:0:0:0:0:0:1');
    expect(certificate.publicKey.asymmetricKeyDetails).toEqual({ namedCurve: 'prime256v1' });
    expect(certificate.ca).toBe(false);
    expect(certificate.verify(certificate.publicKey)).toBe(true);
    expect(certificate.keyUsage).toEqual(['1.3.6.1.5.5.7.3.1']);
  });

  it('is kept, 0600, and the same the next time; what clients read holds no key', async () => {
    const first = await localCertificate(folder);
    expect(await localCertificate(folder)).toEqual(first);
    for (const name of ['local-tls.pem', 'local-tls.crt'])
      expect(statSync(join(folder, name)).mode & 0o777).toBe(0o600);
    expect(readFileSync(first.certPath, 'latin1')).toBe(first.cert);
  });

  it('is the same for 8 that ask at once in an empty folder', async () => {
    const all = await Promise.all(Array.from({ length: 8 }, () => localCertificate(folder)));
    expect(new Set(all.map(({ cert }) => cert)).size).toBe(1);
  });

  it('is replaced 29 days before it ends, not 31 days before', async () => {
    const nowMs = Date.now();
    const { cert } = await localCertificate(folder, nowMs);
    expect((await localCertificate(folder, nowMs + (397 - 31) * DAY_MS)).cert).toBe(cert);
    expect((await localCertificate(folder, nowMs + (397 - 29) * DAY_MS)).cert).not.toBe(cert);
  });

  it.each([
    ['cut', (text: string) => text.slice(0, 700)],
    ['empty', () => ''],
    ['with the key of another', (text: string, other: string) => text.replace(/-----BEGIN PRIV[^]*/, other)],
  ])('is made anew where the file is %s', async (_, spoil) => {
    const { cert } = await localCertificate(folder);
    const path = join(folder, 'local-tls.pem');
    const elsewhere = makeFolder('certificate');
    const { key } = await localCertificate(elsewhere);
    writeFileSync(path, spoil(readFileSync(path, 'latin1'), key));
    const made = await localCertificate(folder);
    expect(made.cert).not.toBe(cert);
    expect(await localCertificate(folder)).toEqual(made);
  });

  it('is refused where others may read its key', async () => {
    await localCertificate(folder);
    chmodSync(join(folder, 'local-tls.pem'), 0o640);
    await expect(localCertificate(folder)).rejects.toMatchObject({ code: 'config_invalid' });
  });
});

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { runAs, type Account } from './postgres-programs.js';

const EXTENSIONS = `[server]
subjectAltName = IP:127.0.0.1, DNS:localhost
basicConstraints = critical, CA:FALSE
extendedKeyUsage = serverAuth
[authority]
basicConstraints = critical, CA:TRUE
keyUsage = critical, keyCertSign, cRLSign
[request]
distinguished_name = name
[name]
`;

/**
 * Makes a certificate authority and, under it, `server.crt` and `server.key` for `127.0.0.1` and `localhost`, valid
 * for a day.
 *
 * @param folder where the files go; they belong to `account`, the keys are private to it
 * @returns path of the authority's certificate
 */
export async function issueServerCertificate(folder: string, account: Account): Promise<string> {
  const file = (name: string): string => join(folder, name);
  writeFileSync(file('openssl.cnf'), EXTENSIONS, { mode: 0o644 });
  const openssl = async (...args: string[]): Promise<void> => {
    await runAs(account, ['openssl', ...args], folder);
  };
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-config', file('openssl.cnf')];
  const authority = ['-x509', '-days', '1', '-subj', '/CN=hoop test authority', '-extensions', 'authority'];
  await openssl('req', ...key, ...authority, '-keyout', file('ca.key'), '-out', file('ca.crt'));
  await openssl('req', ...key, '-subj', '/CN=127.0.0.1', '-keyout', file('server.key'), '-out', file('server.csr'));
  const signer = ['-CA', file('ca.crt'), '-CAkey', file('ca.key'), '-CAcreateserial', '-days', '1'];
  const extensions = ['-extfile', file('openssl.cnf'), '-extensions', 'server'];
  await openssl('x509', '-req', '-in', file('server.csr'), ...signer, ...extensions, '-out', file('server.crt'));
  return file('ca.crt');
}

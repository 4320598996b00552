import { existsSync, readFileSync, statSync } from 'node:fs';
import tls, { createSecureContext, rootCertificates, type SecureContext } from 'node:tls';
import { HoopError } from '../core/errors.js';

/** Where Linux distributions and the BSDs keep the certificates that the system trusts. */
const SYSTEM_BUNDLES = [
  '/etc/ssl/certs/ca-certificates.crt',
  '/etc/pki/tls/certs/ca-bundle.crt',
  '/etc/ssl/ca-bundle.pem',
  '/etc/ssl/cert.pem',
] as const;

const contexts = new Map<string, SecureContext>();

/**
 * Trust in Node's own certificates, the system's, those of `NODE_EXTRA_CA_CERTS`, and one more file. Made once, and
 * again when the file was changed.
 *
 * @throws HoopError config_invalid where the file can't be read
 */
export function trustWith(caFile: string | undefined): SecureContext {
  const key = caFile === undefined || caFile === '' ? '' : `${caFile} ${changedAt(caFile)}`;
  const known = contexts.get(key);
  if (known !== undefined) return known;
  const context = createSecureContext({ ca: trustedCertificates(caFile), minVersion: 'TLSv1.2' });
  contexts.set(key, context);
  return context;
}

function trustedCertificates(caFile: string | undefined): string[] {
  const extra = process.env['NODE_EXTRA_CA_CERTS'] ?? '';
  const own = caFile === undefined || caFile === '' ? [] : [readCertificates(caFile)];
  const added = extra === '' || !existsSync(extra) ? [] : [readCertificates(extra)];
  return [...rootCertificates, ...systemCertificates(), ...added, ...own];
}

/** `tls.getCACertificates` came with Node 22.15; before it, only systems that keep a bundle can be asked. */
function systemCertificates(): readonly string[] {
  const ask = (tls as { getCACertificates?: (kind: 'system') => string[] }).getCACertificates;
  if (ask !== undefined) return ask('system');
  const bundle = [process.env['SSL_CERT_FILE'] ?? '', ...SYSTEM_BUNDLES].find(
    (path) => path !== '' && existsSync(path),
  );
  return bundle === undefined ? [] : [readFileSync(bundle, 'utf8')];
}

function readCertificates(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    throw new HoopError('config_invalid', 'the file of HOOP_CA_FILE cannot be read', { cause: error });
  }
}

function changedAt(path: string): string {
  return String(statSync(path, { throwIfNoEntry: false })?.mtimeMs);
}

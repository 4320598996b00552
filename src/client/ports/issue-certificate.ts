import { randomBytes } from 'node:crypto';
import { Integer, OctetString, Utf8String } from 'asn1js';
import {
  AttributeTypeAndValue,
  BasicConstraints,
  Certificate,
  ExtKeyUsage,
  Extension,
  GeneralName,
  GeneralNames,
} from 'pkijs';

/** PEM of a certificate and of its private key (PKCS #8). */
export interface IssuedCertificate {
  readonly cert: string;
  readonly key: string;
}

const DAY_MS = 86_400_000;
/** Clocks of containers and virtual machines on one laptop may differ a little. */
const BACKDATED_MS = DAY_MS / 24;
const COMMON_NAME = '2.5.4.3';
const SERVER_AUTH = '1.3.6.1.5.5.7.3.1';
/** GeneralName choices: dNSName and iPAddress. */
const DNS_NAME = 2;
const IP_ADDRESS = 7;

/**
 * Makes a self-signed server certificate for ports of this machine: `localhost`, `127.0.0.1`, `::1`, with
 * a fresh ECDSA P-256 key. It is no authority: whoever trusts it trusts these names alone.
 *
 * @see https://www.rfc-editor.org/rfc/rfc5280#section-4
 */
export async function issueLocalCertificate(nowMs: number, validDays: number): Promise<IssuedCertificate> {
  const { subtle } = globalThis.crypto;
  const keys = await subtle.generateKey({ name: 'ECDSA', namedCurve: 'P-256' }, true, ['sign', 'verify']);
  const certificate = new Certificate();
  certificate.version = 2; // v3
  certificate.serialNumber = new Integer({ valueHex: bufferOf(serialNumber()) });
  for (const name of [certificate.issuer, certificate.subject])
    name.typesAndValues.push(
      new AttributeTypeAndValue({ type: COMMON_NAME, value: new Utf8String({ value: 'hoop local port' }) }),
    );
  certificate.notBefore.value = new Date(nowMs - BACKDATED_MS);
  certificate.notAfter.value = new Date(nowMs + validDays * DAY_MS);
  certificate.extensions = extensions();
  await certificate.subjectPublicKeyInfo.importKey(keys.publicKey);
  await certificate.sign(keys.privateKey, 'SHA-256');
  return {
    cert: pem('CERTIFICATE', certificate.toSchema(true).toBER(false)),
    key: pem('PRIVATE KEY', await subtle.exportKey('pkcs8', keys.privateKey)),
  };
}

function extensions(): Extension[] {
  const names = new GeneralNames({
    names: [
      new GeneralName({ type: DNS_NAME, value: 'localhost' }),
      ...[Uint8Array.of(127, 0, 0, 1), new Uint8Array(16).fill(1, 15)].map(
        (address) => new GeneralName({ type: IP_ADDRESS, value: new OctetString({ valueHex: bufferOf(address) }) }),
      ),
    ],
  });
  const usage = new ExtKeyUsage({ keyPurposes: [SERVER_AUTH] });
  return [
    extension('2.5.29.19', true, new BasicConstraints({ cA: false })),
    extension('2.5.29.17', false, names),
    extension('2.5.29.37', false, usage),
  ];
}

function extension(extnID: string, critical: boolean, value: BasicConstraints | GeneralNames | ExtKeyUsage): Extension {
  return new Extension({ extnID, critical, extnValue: value.toSchema().toBER(false) });
}

/** Positive, and of full length however it is encoded. */
function serialNumber(): Uint8Array {
  const bytes = new Uint8Array(randomBytes(16));
  bytes[0] = ((bytes[0] as number) & 0x3f) | 0x40;
  return bytes;
}

function bufferOf(bytes: Uint8Array): ArrayBuffer {
  const copy = new ArrayBuffer(bytes.length);
  new Uint8Array(copy).set(bytes);
  return copy;
}

function pem(label: string, der: ArrayBuffer): string {
  const lines = Buffer.from(der).toString('base64').replaceAll(/.{64}/g, '$&\n').trimEnd();
  return `-----BEGIN ${label}-----\n${lines}\n-----END ${label}-----\n`;
}

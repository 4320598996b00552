/**
 * What helps where a TLS handshake failed; undefined for a failure of another kind.
 *
 * @param code of Node's error: https://nodejs.org/api/tls.html#x509-certificate-error-codes
 */
export function tlsAdvice(code: string): string | undefined {
  switch (code) {
    case 'CERT_HAS_EXPIRED':
      return 'the agent’s certificate has ended, or the clock of this machine is wrong';
    case 'CERT_NOT_YET_VALID':
      return 'the clock of this machine is behind, or the certificate was made for later';
    case 'ERR_TLS_CERT_ALTNAME_INVALID':
      return 'the certificate is for another name: use the agent’s own name in its address';
    case 'EPROTO':
    case 'ERR_SSL_WRONG_VERSION_NUMBER':
      return 'what listens there speaks no TLS: check the port, or whether the address begins with http';
    default:
      return /CERT|ISSUER|SIGN/.test(code)
        ? 'name the PEM file of your certificate authority with HOOP_CA_FILE'
        : undefined;
  }
}

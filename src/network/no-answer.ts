import { HoopError, messageOf } from '../core/errors.js';
import { tlsAdvice } from './tls-advice.js';

/**
 * Of an agent from which no answer came: `unreachable`, with what helps against just that.
 *
 * @param message what that is for the reader, e.g. that the agent does not answer
 * @param agentUrl `https://agent.example.com`; said in `why`
 */
export function noAnswer(message: string, agentUrl: string, error: unknown): HoopError {
  if (error instanceof HoopError) return error;
  const code = codeOf(error);
  // OpenSSL's own words name a line of its source.
  const why = /^(EPROTO$|ERR_SSL_)/.test(code) ? 'the TLS handshake failed' : messageOf(error);
  const suggestion = tlsAdvice(code) ?? (code === 'ECONNRESET' ? resetAdvice(agentUrl) : undefined);
  return new HoopError('unreachable', message, {
    why: `${agentUrl}: ${why}`,
    ...(suggestion === undefined ? {} : { suggestion }),
    cause: error,
  });
}

/** As a listener with TLS answers plain http. */
function resetAdvice(agentUrl: string): string | undefined {
  return agentUrl.startsWith('http:')
    ? 'check that its address is right: where the agent has TLS, it begins with https'
    : undefined;
}

function codeOf(error: unknown): string {
  return error instanceof Error ? ((error as NodeJS.ErrnoException).code ?? '') : '';
}

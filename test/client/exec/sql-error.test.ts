import { DatabaseError } from 'pg';
import { describe, expect, it } from 'vitest';
import { sqlFailure } from '../../../src/client/exec/sql-error.js';

const refused = (code: string, message: string) =>
  sqlFailure(Object.assign(new DatabaseError(message, message.length, 'error'), { code }));

describe('what a failed statement means', () => {
  it('is no access, exit status 4, where access to the connection was taken away in mid-session', () => {
    const message = 'access to prod ended (revoked by dana: done); ask with: hoop request prod --duration 1h';
    expect(refused('57P01', message)).toMatchObject({
      code: 'access_needed',
      exitStatus: 4,
      message: 'access to prod ended (revoked by dana: done)',
      suggestion: 'ask with: hoop request prod --duration 1h',
    });
  });

  it('is that of the server for the same words under any other SQLSTATE', () => {
    expect(refused('42601', 'access to prod ended (x); ask with: y').code).toBe('sql');
  });

  it('tells an agent that shuts down from a server that the agent does not reach', () => {
    expect(refused('57P01', 'the hoop agent is shutting down').code).toBe('unreachable');
    expect(
      refused('58030', 'hoop: the session can not be recorded (writing the recording failed with ENOSPC)').code,
    ).toBe('recording_failed');
    expect(refused('58030', 'could not write to file "base/1": No space left on device').code).toBe('sql');
    expect(refused('F0000', 'hoop: a secret is empty (environment variable PG_APP_PASSWORD)').code).toBe(
      'upstream_auth',
    );
    expect(refused('08006', 'hoop: the database server did not open the session within 10 s').code).toBe(
      'upstream_unreachable',
    );
  });
});

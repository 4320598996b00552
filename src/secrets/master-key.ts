import { execFile } from 'node:child_process';
import { HoopError } from '../core/errors.js';
import type { MasterKeyRef } from '../core/resources.js';
import type { SecretResolver } from './resolver.js';

/** AES-256 and HMAC-SHA-256 take a key of this length. */
const KEY_BYTES = 32;

/** 44 characters of standard base64: 43 and one `=` hold exactly 32 bytes. */
const BASE64_OF_32_BYTES = /^[A-Za-z0-9+/]{43}=$/;

/** A key management service that takes longer is away. */
const COMMAND_TIMEOUT_MS = 30_000;

/**
 * The agent's master key: 32 bytes, base64, one line.
 *
 * @throws HoopError `config_invalid` for anything else, and what the resolver throws
 */
export async function loadMasterKey(resolve: SecretResolver, ref: MasterKeyRef): Promise<Uint8Array> {
  return parseMasterKey('command' in ref ? await printedBy(ref.command) : (await resolve(ref)).reveal());
}

/** @throws HoopError `config_invalid`, without the text */
export function parseMasterKey(text: string): Uint8Array {
  if (!BASE64_OF_32_BYTES.test(text)) {
    throw new HoopError('config_invalid', `the master key must be ${KEY_BYTES} bytes as base64 on one line`, {
      suggestion: 'make one with `openssl rand -base64 32`, or run `hoop agent init`',
    });
  }
  return new Uint8Array(Buffer.from(text, 'base64'));
}

/** Runs the program itself, never a shell; what it prints is told to nobody, what it says on stderr is not read. */
function printedBy([program = '', ...args]: readonly string[]): Promise<string> {
  return new Promise((resolve, reject) => {
    const options = { timeout: COMMAND_TIMEOUT_MS, maxBuffer: 4_096, windowsHide: true } as const;
    execFile(program, args, options, (error, stdout) => {
      if (error === null) resolve(stdout.replace(/\r?\n$/, ''));
      else
        reject(
          new HoopError('config_invalid', 'the program that gives the master key failed', {
            why: `${program}: ${reasonOf(error)}`,
            suggestion: 'run the command of `masterKey` by hand as the user of the agent',
          }),
        );
    });
  });
}

/** Node's own message quotes the arguments and what was printed. */
function reasonOf(error: { readonly code?: unknown; readonly killed?: boolean }): string {
  if (error.killed === true) return `no answer within ${COMMAND_TIMEOUT_MS / 1000} s, or too long an answer`;
  if (typeof error.code === 'number') return `exit status ${error.code}`;
  return typeof error.code === 'string' ? error.code : 'unknown reason';
}

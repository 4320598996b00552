import { Errors } from '@oclif/core';
import { escapeControls } from '../core/display.js';
import { ERRORS, HoopError, messageOf } from '../core/errors.js';
import { nearest } from '../core/nearest.js';
import type { Colours } from './colours.js';
import { isFormatFlag } from './json-spelling.js';

/** What `--json` prints for a failure. */
export interface ErrorReport {
  readonly error: { readonly code: string; readonly message: string; readonly suggestion: string };
}

/**
 * Any thrown thing as an error of the table: a wrong flag or argument is `usage`, the unforeseen is `failed`.
 *
 * oclif's own messages hold several lines (lists, "See more help"): the first says what is wrong.
 *
 * @param flags what the command takes, e.g. `--output`: a misspelt one is answered with the nearest
 */
export function toHoopError(thrown: unknown, flags: readonly string[] = []): HoopError {
  if (thrown instanceof HoopError) return thrown;
  if (isForeign(thrown))
    return new HoopError(thrown.code, thrown.message, {
      suggestion: thrown.suggestion,
      ...(thrown.why === undefined ? {} : { why: thrown.why }),
    });
  const unknown = unknownFlag(thrown);
  if (unknown !== undefined) return noSuchFlag(unknown, flags);
  const missing = missingArguments(thrown);
  if (missing.length > 0)
    return new HoopError('usage', `${missing.join(' and ')} is missing`, {
      why: 'the command does nothing without it',
    });
  const [what = 'failed', ...more] = messageOf(thrown)
    .split('\n')
    .filter((line) => line.trim() !== '');
  if (thrown instanceof Errors.CLIError) return parserError(what, more);
  return new HoopError('failed', what, { why: 'hoop did not foresee this', cause: thrown });
}

/** What oclif's parser says, in the way of our own messages: it heads what matters with lines that say nothing. */
function parserError(what: string, more: readonly string[]): HoopError {
  const told = more.map((line) => line.trim()).filter((line) => !line.startsWith('See more help'));
  if (/^The following errors? occurred/.test(what)) {
    const flags = told
      .flatMap((line) => /^Missing required flag (\S+)$/.exec(line)?.[1] ?? [])
      .map((name) => `--${name}`);
    if (flags.length > 0)
      return new HoopError('usage', `${flags.join(' and ')} is missing`, {
        why: 'the command does nothing without it',
      });
    // A rule between two flags is told once from the side of each.
    const why = lowerFirst(told[0] ?? '').replaceAll('=true', '');
    const missing = why.includes('must be provided');
    return new HoopError('usage', missing ? 'a flag is missing' : 'the flags do not go together', { why });
  }
  const flag = /^Parsing (--\S+)/.exec(what)?.[1];
  if (flag !== undefined)
    return new HoopError('usage', `${flag} does not take this`, { why: lowerFirst(told.join('; ')) });
  const why = told.length === 0 ? 'the command does not take this' : told.join('; ');
  return new HoopError('usage', lowerFirst(what), { why });
}

/** `Expected …` as `expected …`; what begins with an acronym stays. */
function lowerFirst(text: string): string {
  return /^[A-Z][a-z]/.test(text) ? text.charAt(0).toLowerCase() + text.slice(1) : text;
}

/** Names of arguments that were not given, as help writes them; none for any other error. */
function missingArguments(thrown: unknown): readonly string[] {
  if (!(thrown instanceof Errors.CLIError) || !('args' in thrown) || !Array.isArray(thrown.args)) return [];
  return (thrown.args as readonly unknown[]).flatMap((arg) =>
    typeof arg === 'object' && arg !== null && 'name' in arg ? [String(arg.name).toUpperCase()] : [],
  );
}

/** The flag that oclif refused as none of the command's; undefined for any other error. */
function unknownFlag(thrown: unknown): string | undefined {
  if (!(thrown instanceof Errors.CLIError) || !('flags' in thrown) || !Array.isArray(thrown.flags)) return undefined;
  const flag: unknown = thrown.flags[0];
  return typeof flag === 'string' ? flag : undefined;
}

function noSuchFlag(flag: string, flags: readonly string[]): HoopError {
  const name = flag.split('=')[0] ?? flag;
  if (isFormatFlag(name))
    return new HoopError('usage', `${name} takes json here, and nothing else`, {
      why: `the command does not take ${name} with another format: it prints text, or JSON`,
      suggestion: 'leave it out for text; `-o json`, `--format json` and `--json` are the same',
    });
  const meant = name.startsWith('--') ? nearest(name, flags) : undefined;
  return new HoopError('usage', 'there is no such flag', {
    why: `the command does not take ${name}`,
    ...(meant === undefined ? {} : { suggestion: `did you mean ${meant}? --help lists the flags` }),
  });
}

/** One of ours from outside of the bundle, e.g. of a screen: the same class, loaded a second time. */
function isForeign(thrown: unknown): thrown is HoopError {
  if (!(thrown instanceof Error) || thrown.name !== 'HoopError' || !('code' in thrown)) return false;
  return typeof thrown.code === 'string' && Object.hasOwn(ERRORS, thrown.code);
}

/** Three lines for people: what, why, what to do. Each is one line whatever the error holds. */
export function errorLines(error: HoopError, colours: Colours): string {
  const why = error.why ?? (error.cause === undefined ? ERRORS[error.code].why : messageOf(error.cause));
  return [
    `${colours.red('error:')} ${escapeControls(error.message)}`,
    `${colours.dim('why:')}   ${escapeControls(why)}`,
    `${colours.dim('do:')}    ${escapeControls(error.suggestion)}`,
  ].join('\n');
}

/** The object for scripts; `why` is told with the message. */
export function errorReport(error: HoopError): ErrorReport {
  const message = error.why === undefined ? error.message : `${error.message.replace(/\.$/, '')}: ${error.why}`;
  return { error: { code: error.code, message, suggestion: error.suggestion } };
}

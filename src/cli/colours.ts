import { Chalk, supportsColor, supportsColorStderr } from 'chalk';
import { escapeControls } from '../core/display.js';

/** Styles for one stream. Each takes data: what could act on the terminal is escaped before it is coloured. */
export interface Colours {
  readonly enabled: boolean;
  plain(text: string): string;
  bold(text: string): string;
  dim(text: string): string;
  red(text: string): string;
  green(text: string): string;
  yellow(text: string): string;
  cyan(text: string): string;
}

/**
 * The colours of a stream: none where it is no terminal, or with `--no-color` or a non-empty `NO_COLOR`.
 *
 * @param options.stream whose terminal is asked
 * @see https://no-color.org
 */
export function createColours(options: {
  readonly stream: 'stdout' | 'stderr';
  readonly noColor: boolean;
  readonly env: Readonly<Record<string, string | undefined>>;
}): Colours {
  const support = options.stream === 'stdout' ? supportsColor : supportsColorStderr;
  const refused = options.noColor || (options.env['NO_COLOR'] ?? '') !== '';
  const level = refused || support === false ? 0 : support.level;
  const chalk = new Chalk({ level });
  return {
    enabled: level > 0,
    plain: (text) => escapeControls(text),
    bold: (text) => chalk.bold(escapeControls(text)),
    dim: (text) => chalk.dim(escapeControls(text)),
    red: (text) => chalk.red(escapeControls(text)),
    green: (text) => chalk.green(escapeControls(text)),
    yellow: (text) => chalk.yellow(escapeControls(text)),
    cyan: (text) => chalk.cyan(escapeControls(text)),
  };
}

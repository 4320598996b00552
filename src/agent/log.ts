import pino from 'pino';
import { HoopError, messageOf } from '../core/errors.js';

/** The agent's log: one JSON line an event, on stderr. Messages are ours; nothing a user sent is logged. */
export interface AgentLog {
  info(message: string, fields?: Readonly<Record<string, string>>): void;
  warn(message: string, fields?: Readonly<Record<string, string>>): void;
  error(message: string, fields?: Readonly<Record<string, string>>): void;
  /** A failure that nothing foresaw: its kind and place in our code, not its words, which may quote data. */
  failure(message: string, error: unknown): void;
}

/** The least that is worth a line; what is below it is not written. */
export const LOG_LEVELS = ['info', 'warn', 'error'] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

export function createLog(level: LogLevel): AgentLog {
  const log = pino(
    {
      level,
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
    },
    pino.destination({ dest: 2, sync: true }),
  );
  return {
    info: (message, fields = {}) => {
      log.info(fields, message);
    },
    warn: (message, fields = {}) => {
      log.warn(fields, message);
    },
    error: (message, fields = {}) => {
      log.error(fields, message);
    },
    failure: (message, error) => {
      const name = error instanceof Error ? error.name : typeof error;
      const at = error instanceof Error ? (error.stack?.split('\n')[1]?.trim() ?? '') : '';
      log.error({ name, at, ...(error instanceof HoopError ? { why: messageOf(error) } : {}) }, message);
    },
  };
}

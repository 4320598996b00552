import { isFault } from '../../core/errors.js';
import type { ChainedEvent } from '../../core/events.js';
import type { Context, Facts, ObjectName, SqlFacts } from '../../policy/types.js';
import { readSql } from '../../protocols/postgres/facts/analyze.js';
import { isHttpType, readRequest } from './request-reading.js';

/** What was recorded of a question is not enough to judge it again; the words say why. */
export interface Unjudged {
  readonly unjudged: string;
}

/** The caller and the way, as a recording tells them. Its members may hold anything: what is missing is empty. */
export function recordedContext(start: ChainedEvent): Context {
  const user = fields(start['user']);
  const connection = fields(start['connection']);
  const address = fields(start['client'])['address'];
  return {
    user: {
      subject: text(user['subject']),
      email: text(user['email']),
      groups: texts(user['groups']),
      attributes: fields(user['attributes']),
      issuer: text(user['issuer']),
      machine: user['machine'] === true,
      mayReview: false,
      expiresAt: 0,
    },
    connection: {
      name: text(connection['name']),
      type: text(connection['type']),
      labels: fields(connection['labels']) as Readonly<Record<string, string>>,
    },
    session: {
      id: text(start['session']),
      correlationId: text(start['correlationId']),
      startedAt: start.at,
      ...(typeof address === 'string' ? { clientAddress: address } : {}),
    },
  };
}

/**
 * The facts that a statement or request was judged by, as far as they were recorded. Texts, bound values and bodies are
 * recorded masked; those of a statement, besides its text, are the ones that the agent had, its catalogue included.
 */
export function recordedFacts(asked: ChainedEvent, type: string): Facts | Unjudged {
  return asked.type === 'statement' ? { sql: statementFacts(asked) } : requestFacts(asked, type);
}

function statementFacts(asked: ChainedEvent): SqlFacts {
  const sql = text(asked['text']);
  const params = Array.isArray(asked['params']) ? (asked['params'] as (string | null)[]) : [];
  if (typeof asked['facts'] !== 'object') return { ...readSql(sql).facts, params };
  const found = fields(asked['facts']);
  const unqualified = texts(found['unqualified']);
  const opaqueReason = text(found['opaqueReason']);
  return {
    text: sql,
    kind: text(found['kind']),
    effects: texts(found['effects']),
    reads: names(found['reads']),
    writes: names(found['writes']),
    functions: texts(found['functions']),
    unqualified,
    unqualifiedWrite: unqualified.length > 0,
    opaque: found['opaque'] === true,
    opaqueReason,
    unbounded: found['unbounded'] === true,
    statements: typeof found['statements'] === 'number' ? found['statements'] : 1,
    stacked: typeof found['stacked'] === 'number' ? found['stacked'] : undefined,
    params,
    syntaxError: opaqueReason.includes(UNPARSED) ? { message: '', position: 0 } : undefined,
  };
}

/** The reason that facts give where the grammar refused the text. */
const UNPARSED = 'text that does not parse';

function requestFacts(asked: ChainedEvent, type: string): Facts | Unjudged {
  if (!isHttpType(type)) return { unjudged: 'a connection type that is not spoken here' };
  const contentType = text(asked['contentType']);
  const body = asked['body'];
  const reading = readRequest(type, {
    method: text(asked['method']),
    path: text(asked['path']),
    headers: contentType === '' ? {} : { 'content-type': contentType },
    ...(typeof body === 'string' ? { body } : {}),
  });
  if (isFault(reading)) return { unjudged: 'an address that masking made unreadable' };
  if ((reading.uninspected ?? []).length > 0 || (text(asked['endpoint']) !== '' && reading.facts.llm === undefined))
    return { unjudged: 'a body that was not recorded whole' };
  return reading.facts;
}

function fields(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null ? (value as Readonly<Record<string, unknown>>) : {};
}

function text(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

function texts(value: unknown): readonly string[] {
  return Array.isArray(value) ? value.filter((item) => typeof item === 'string') : [];
}

function names(value: unknown): readonly ObjectName[] {
  if (!Array.isArray(value)) return [];
  return value.map((item: unknown) => ({ schema: text(fields(item)['schema']), name: text(fields(item)['name']) }));
}

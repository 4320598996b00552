import type { FlowProgress } from '../../core/approval.js';
import { escapeControls, toJsonLine } from '../../core/display.js';
import { progressText } from '../../core/progress-text.js';
import { environmentOf, type OpenPlace } from '../child/environment.js';
import type { Traffic } from '../ports/forward.js';
import type { ConnectionEvent } from '../tunnels/tunnel-keeper.js';

/** How the two readers of `hoop connect` are told what happens. Lines come without their end. */
export interface ConnectReport {
  /** The ports are open. */
  listening(places: readonly OpenPlace[], traffic: () => ReadonlyMap<string, Traffic>): void;
  event(event: ConnectionEvent): void;
}

/** For programs: one JSON object a line, on stdout. */
export function jsonReport(print: (line: string) => void): ConnectReport {
  return {
    listening: (places) => {
      for (const place of places) {
        print(
          toJsonLine({ event: 'listening', connection: place.connection, ...place.address, env: environmentOf(place) }),
        );
      }
    },
    event: (event) => {
      // For screens: a program that asks for events has not asked for its own statements.
      if (event.event !== 'statement') print(toJsonLine(event));
    },
  };
}

/** For people: plain lines, on stderr, with something to paste. */
export function plainReport(say: (line: string) => void): ConnectReport {
  /** What keeps connections apart from the agent; a login that ended does so for all of them, and is said once. */
  const reasons = new Set<string>();
  /** Each request is a session there: told one by one, they would bury all else. */
  const ofRequests = new Set<string>();
  const isNews = ({ event, why, connection }: ConnectionEvent): boolean => {
    if (event === 'session.opened' || event === 'session.closed') return !ofRequests.has(connection);
    if (event === 'reconnected') reasons.clear();
    if (event !== 'disconnected' || typeof why !== 'string') return true;
    const known = reasons.has(why);
    reasons.add(why);
    return !known;
  };
  return {
    listening: (places) => {
      for (const place of places) {
        if (place.type !== 'postgres') ofRequests.add(place.connection);
        say(`${escapeControls(place.connection)} → ${escapeControls(whereOf(place))} (Ctrl-C ends)`);
        const hint = usageOf(place);
        if (hint !== undefined) say(`  ${escapeControls(hint)}`);
      }
    },
    event: (event) => {
      const line = isNews(event) ? lineFor(event) : undefined;
      if (line !== undefined) say(escapeControls(`${event.connection}: ${line}`));
    },
  };
}

/** `127.0.0.1:15432`, or the socket file's path. */
export function whereOf({ address }: Pick<OpenPlace, 'address'>): string {
  if ('socket' in address) return address.socket;
  return `${address.host.includes(':') ? `[${address.host}]` : address.host}:${String(address.port)}`;
}

/** What to paste; undefined where there is nothing to show. */
export function usageOf(place: OpenPlace): string | undefined {
  const variables = environmentOf(place);
  if (place.type === 'postgres') {
    const url = variables['DATABASE_URL'];
    return url === undefined ? 'psql finds a socket file only under the name FOLDER/.s.PGSQL.PORT' : `psql '${url}'`;
  }
  if ('socket' in place.address) {
    return place.key === undefined ? undefined : `needs the key ${place.key}, valid for this socket file alone`;
  }
  if (place.type === 'http')
    return `curl ${place.key === undefined ? '' : `-H 'x-api-key: ${place.key}' `}${variables['HOOP_URL'] ?? ''}/`;
  // The key is a placeholder of this port: no secret of anybody's.
  const pairs = Object.entries(variables).filter(([name]) => !name.startsWith('HOOP_'));
  return pairs.length === 0 ? undefined : pairs.map(([name, value]) => `${name}=${value}`).join(' ');
}

/** @returns undefined for what people need not see */
function lineFor(event: ConnectionEvent): string | undefined {
  const field = (name: string): string => {
    const value = event[name];
    return typeof value === 'string' || typeof value === 'number' ? String(value) : '';
  };
  switch (event.event) {
    case 'session.opened':
      return `session ${field('session')} opened`;
    case 'session.closed':
      return `session ${field('session')} closed${after(': ', field('why'))}`;
    case 'approval.waiting':
      return `waits for ${waitedFor(event)} until ${field('expiresAt')}: hoop approve ${field('request')}`;
    case 'approval.resolved':
      return `request ${field('request')} ${field('outcome')}${after(' by ', field('by'))}${after(': ', field('reason'))}`;
    case 'blocked':
      return `blocked by policy ${field('rule')}: ${field('message')}`;
    case 'refused':
      return `a local connection was refused: ${field('why')}`;
    case 'reconnecting':
      // One line for an outage, however long it takes.
      return event['attempt'] === 1 ? `${field('why')}; the port stays open, reconnecting` : undefined;
    case 'reconnected':
      return 'reconnected';
    case 'disconnected':
      return `not connected: ${field('why')}; ${field('suggestion')}`;
    default:
      return undefined;
  }
}

/** `dba (1 of 2)`, as far as the agent says so. */
function waitedFor({ progress }: ConnectionEvent): string {
  const text = Array.isArray(progress) ? progressText(progress as readonly FlowProgress[]) : '';
  return text === '' ? 'approval' : text;
}

/** Nothing where there is nothing to say. */
function after(lead: string, text: string): string {
  return text === '' ? '' : `${lead}${text}`;
}

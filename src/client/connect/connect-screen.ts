import type { RequestView } from '../../core/approval.js';
import type { AgentApi } from '../agent-api.js';
import { type ConnectReport, usageOf, whereOf } from './connect-report.js';
import type { Traffic } from '../ports/forward.js';
import { followRequests } from '../requests/request-follow.js';
import type { ConnectionEvent } from '../tunnels/tunnel-keeper.js';

/** A screen as this room knows it: what it is opened with, and what it is told. */
export interface ScreenOpening {
  readonly places: readonly {
    readonly connection: string;
    readonly type: string;
    readonly where: string;
    readonly hint: string | undefined;
  }[];
  readonly traffic: () => ReadonlyMap<string, Traffic>;
}

export interface ConnectionsScreen {
  event(event: ConnectionEvent): void;
  known(whoami: { readonly name: string; readonly groups: readonly string[]; readonly tokenEndsAtMs: number }): void;
  requests(requests: readonly RequestView[]): void;
}

/** Looks again who one is: a token is renewed a little before its end. */
const WHOAMI_EVERY_MS = 60_000;

/**
 * Reports to a screen, and keeps it told of what no tunnel says: who one is, and how far one's requests are.
 *
 * @param open opens the screen, once the ports are
 */
export function screenReport(
  api: AgentApi,
  open: (opening: ScreenOpening) => ConnectionsScreen,
): ConnectReport & { stop(): void } {
  const stopping = new AbortController();
  let screen: ConnectionsScreen | undefined;
  let timer: NodeJS.Timeout | undefined;
  const lookWho = async (): Promise<void> => {
    const { email, subject, groups, expiresAt } = await api.whoami();
    screen?.known({ name: email === '' ? subject : email, groups, tokenEndsAtMs: expiresAt * 1_000 });
  };
  return {
    listening: (places, traffic) => {
      screen = open({
        places: places.map((place) => ({
          connection: place.connection,
          type: place.type,
          where: whereOf(place),
          hint: usageOf(place),
        })),
        traffic,
      });
      // Neither is needed for the ports to work: where the agent can't be asked, the tunnels say why.
      lookWho().catch(() => undefined);
      timer = setInterval(() => void lookWho().catch(() => undefined), WHOAMI_EVERY_MS).unref();
      followOwn(api, screen, stopping.signal).catch(() => undefined);
    },
    event: (event) => screen?.event(event),
    stop: () => {
      clearInterval(timer);
      stopping.abort();
    },
  };
}

async function followOwn(api: AgentApi, screen: ConnectionsScreen, signal: AbortSignal): Promise<void> {
  const requests = new Map<string, RequestView>();
  const stream: AgentApi['stream'] = (path) => api.stream(path);
  for await (const news of followRequests({ stream, state: 'pending', mine: true, signal })) {
    if (news.kind === 'lost') continue;
    if (news.kind === 'snapshot') {
      requests.clear();
      for (const request of news.requests) requests.set(request.id, request);
    } else if (news.request.state === 'pending') requests.set(news.request.id, news.request);
    else requests.delete(news.request.id);
    screen.requests([...requests.values()]);
  }
}

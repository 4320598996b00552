import { Counter, Gauge, Registry, collectDefaultMetrics } from 'prom-client';

/** The agent's figures for Prometheus. No label holds a user, a connection's content or an id. */
export interface Metrics {
  readonly registry: Registry;
  /** One answered HTTP request; `route` is the pattern, never the path. */
  httpAnswered(route: string, method: string, status: number): void;
  /** One decided statement or request. */
  decided(action: 'allow' | 'warn' | 'block' | 'approve'): void;
  /** How to count peers that have asked for nothing yet. */
  halfOpen(count: () => number): void;
}

/** @param now what is counted at the moment of each scrape */
export function createMetrics(now: {
  readonly liveSessions: () => number;
  readonly pendingRequests: () => number;
}): Metrics {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  const http = new Counter({
    name: 'hoop_http_requests_total',
    help: 'HTTP requests answered, by route',
    labelNames: ['route', 'method', 'status'] as const,
    registers: [registry],
  });
  const decisions = new Counter({
    name: 'hoop_decisions_total',
    help: 'Statements and requests decided, by action',
    labelNames: ['action'] as const,
    registers: [registry],
  });
  gauge(registry, 'hoop_sessions_live', 'Sessions open now', now.liveSessions);
  gauge(registry, 'hoop_approval_requests_pending', 'Requests waiting for a decision', now.pendingRequests);
  return {
    registry,
    httpAnswered: (route, method, status) => http.inc({ route, method, status }),
    decided: (action) => decisions.inc({ action }),
    halfOpen: (count) => {
      gauge(registry, 'hoop_half_open_peers', 'Peers that have asked for nothing yet, or not again', count);
    },
  };
}

function gauge(registry: Registry, name: string, help: string, value: () => number): void {
  new Gauge({
    name,
    help,
    registers: [registry],
    collect() {
      this.set(value());
    },
  });
}

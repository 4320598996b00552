import { describe, expect, it } from 'vitest';
import { HoopError, type Fault } from '../../../src/core/errors.js';
import { type ConnectionEvent, TunnelKeeper } from '../../../src/client/tunnels/tunnel-keeper.js';
import type { DetachedStream, TunnelClient } from '../../../src/tunnel/dial.js';
import { FakeTime } from '../fake-time.js';

interface FakeTunnel extends TunnelClient {
  breaks(fault?: Fault): void;
  says(event: Record<string, unknown>): void;
  closed: boolean;
  /** Told to close as soon as nothing runs on it. */
  left: boolean;
  probes: number;
  readonly resumed: DetachedStream[];
  detaches(stream: DetachedStream): void;
}

function fakeTunnel(): FakeTunnel {
  let onClose: (fault?: Fault) => void = () => undefined;
  let onEvent: (event: Record<string, unknown>) => void = () => undefined;
  let onDetached: (stream: DetachedStream) => void = () => undefined;
  const tunnel: FakeTunnel = {
    closed: false,
    left: false,
    probes: 0,
    resumed: [],
    onDetached: (listener) => {
      onDetached = listener;
    },
    detaches: (stream) => {
      onDetached(stream);
    },
    resume: (stream) => {
      tunnel.resumed.push(stream);
    },
    probe: () => {
      tunnel.probes += 1;
    },
    openStream: () => {
      throw new Error('no test opens a stream here');
    },
    onEvent: (listener) => {
      onEvent = listener;
    },
    onClose: (listener) => {
      onClose = listener;
    },
    closeWhenIdle: () => {
      tunnel.left = true;
    },
    close: () => {
      tunnel.closed = true;
      onClose();
    },
    breaks: (fault) => {
      onClose(fault);
    },
    says: (event) => {
      onEvent(event);
    },
  };
  return tunnel;
}

function keeperOver(answers: (FakeTunnel | HoopError)[]): {
  keeper: TunnelKeeper;
  time: FakeTime;
  events: ConnectionEvent[];
  dials: () => number;
} {
  const time = new FakeTime();
  const events: ConnectionEvent[] = [];
  let dials = 0;
  const dial = (): Promise<TunnelClient> => {
    const answer = answers[Math.min(dials, answers.length - 1)];
    dials += 1;
    if (answer === undefined) throw new Error('a test gives at least one answer');
    return answer instanceof HoopError ? Promise.reject(answer) : Promise.resolve(answer);
  };
  const keeper = new TunnelKeeper({ connection: 'postgres', dial, onEvent: (event) => events.push(event), time });
  return { keeper, time, events, dials: () => dials };
}

const down = new HoopError('unreachable', 'agent not reachable');

describe('TunnelKeeper', () => {
  it('throws the failure of the first dial and does not dial again', async () => {
    const { keeper, time, dials } = keeperOver([down]);
    await expect(keeper.start()).rejects.toBe(down);
    await time.advance(60_000);
    expect(dials()).toBe(1);
  });

  it('dials again after 188, 375 and 750 ms when random is 0.5, and says so each time', async () => {
    const first = fakeTunnel();
    const second = fakeTunnel();
    const { keeper, time, events } = keeperOver([first, down, down, second]);
    await keeper.start();
    first.breaks({ code: 'unreachable', message: 'the tunnel was closed' });
    await time.advance(2_000);
    expect(events.map((event) => [event.event, event['inMs']])).toEqual([
      ['reconnecting', 188],
      ['reconnecting', 375],
      ['reconnecting', 750],
      ['reconnected', undefined],
    ]);
    await expect(keeper.ready()).resolves.toBe(second);
  });

  it('never waits longer than 15 s between two dials', async () => {
    const first = fakeTunnel();
    const { keeper, time, events } = keeperOver([first, down]);
    await keeper.start();
    first.breaks();
    await time.advance(120_000);
    const delays = events.map((event) => Number(event['inMs']));
    expect(Math.max(...delays)).toBe(11_250);
  });

  it('starts the delays anew only after a tunnel that lived 10 s', async () => {
    const tunnels = [fakeTunnel(), fakeTunnel(), fakeTunnel()] as const;
    const { keeper, time, events } = keeperOver([...tunnels]);
    await keeper.start();
    tunnels[0].breaks();
    await time.advance(188);
    tunnels[1].breaks();
    await time.advance(375);
    await time.advance(10_000);
    tunnels[2].breaks();
    expect(events.filter((event) => event.event === 'reconnecting').map((event) => event['attempt'])).toEqual([
      1, 2, 1,
    ]);
  });

  it('lets whoever needs the tunnel wait until it is back', async () => {
    const first = fakeTunnel();
    const second = fakeTunnel();
    const { keeper, time } = keeperOver([first, second]);
    await keeper.start();
    first.breaks();
    const waiting = keeper.ready();
    await time.advance(188);
    await expect(waiting).resolves.toBe(second);
  });

  it('gives up a wait after 30 s, with the last reason, and keeps dialling', async () => {
    const first = fakeTunnel();
    const { keeper, time, dials } = keeperOver([first, down]);
    await keeper.start();
    first.breaks();
    const waiting = keeper.ready().catch((error: unknown) => error);
    await time.advance(30_000);
    const error = await waiting;
    expect(error).toMatchObject({ code: 'unreachable', why: 'agent not reachable' });
    const before = dials();
    await time.advance(60_000);
    expect(dials()).toBeGreaterThan(before);
  });

  it('stops dialling when the token is refused, fails those who wait at once, and tries again for the next', async () => {
    const first = fakeTunnel();
    const second = fakeTunnel();
    const refused = new HoopError('token_refused', 'token expired');
    const { keeper, time, events, dials } = keeperOver([first, refused, second]);
    await keeper.start();
    first.breaks();
    const waiting = keeper.ready().catch((error: unknown) => error);
    await time.advance(188);
    expect(await waiting).toBe(refused);
    expect(events.at(-1)).toMatchObject({ event: 'disconnected', code: 'token_refused', connection: 'postgres' });
    await time.advance(120_000);
    expect(dials()).toBe(2);
    await expect(keeper.ready()).resolves.toBe(second);
  });

  it('passes what the agent says on, with the connection named by us and not by the agent', async () => {
    const tunnel = fakeTunnel();
    const { keeper, events } = keeperOver([tunnel]);
    await keeper.start();
    tunnel.says({ event: 'session.opened', session: 's1', connection: 'other' });
    tunnel.says({ event: 7 });
    tunnel.says({ event: 'listening', port: 1 });
    expect(events).toEqual([{ event: 'session.opened', session: 's1', connection: 'postgres' }]);
  });

  it('closes its tunnel, fails those who wait and never dials again once closed', async () => {
    const first = fakeTunnel();
    const { keeper, time, dials } = keeperOver([first, down]);
    await keeper.start();
    first.breaks();
    const waiting = keeper.ready().catch((error: unknown) => error);
    keeper.close();
    expect(await waiting).toMatchObject({ code: 'unreachable' });
    await time.advance(120_000);
    expect(dials()).toBe(1);
  });

  it('closes a tunnel whose dial ended after the keeper was closed', async () => {
    const late = fakeTunnel();
    let arrive: (tunnel: TunnelClient) => void = () => undefined;
    const keeper = new TunnelKeeper({
      connection: 'postgres',
      dial: () => new Promise((resolve) => (arrive = resolve)),
      onEvent: () => undefined,
      time: new FakeTime(),
    });
    const starting = keeper.start();
    keeper.close();
    arrive(late);
    await starting;
    expect(late.closed).toBe(true);
  });

  it('dials at once on waking, however long it would have waited, and asks a tunnel that stands for a sign of life', async () => {
    const first = fakeTunnel();
    const second = fakeTunnel();
    const time = new FakeTime();
    const wakes: (() => void)[] = [];
    const answers = [first, down, down, down, second];
    const keeper = new TunnelKeeper({
      connection: 'postgres',
      dial: () => {
        const answer = answers.shift() ?? second;
        return answer instanceof HoopError ? Promise.reject(answer) : Promise.resolve(answer);
      },
      onEvent: () => undefined,
      time,
      wake: { onWake: (listener) => (wakes.push(listener), () => undefined) },
    });
    await keeper.start();
    wakes[0]?.();
    expect(first.probes).toBe(1);
    first.breaks();
    await time.advance(188 + 375 + 750);
    wakes[0]?.();
    await expect(keeper.ready()).resolves.toBe(second);
  });

  it('opens nothing new on a tunnel whose agent drains, leaves it to end, and closes it with itself', async () => {
    const first = fakeTunnel();
    const second = fakeTunnel();
    const { keeper, time, events } = keeperOver([first, second]);
    await keeper.start();
    first.says({ event: 'tunnel.retiring' });
    const waiting = keeper.ready();
    await time.advance(188);
    await expect(waiting).resolves.toBe(second);
    expect(events[0]).toMatchObject({ event: 'reconnecting', why: 'the agent is shutting down' });
    expect(first.closed).toBe(false);
    keeper.close();
    expect([first.closed, second.closed]).toEqual([true, true]);
  });

  it('takes another tunnel when the token of one ends, tells nobody, and leaves the old one to what runs on it', async () => {
    const first = fakeTunnel();
    const second = fakeTunnel();
    const { keeper, events, dials } = keeperOver([first, second]);
    await keeper.start();
    first.says({ event: 'tunnel.token-ending' });
    // Until the next one is there, nobody waits.
    await expect(keeper.ready()).resolves.toBe(first);
    await expect.poll(() => keeper.ready()).toBe(second);
    expect([dials(), events, first.left, first.closed, keeper.leaving]).toEqual([2, [], true, false, [first, second]]);
    first.breaks();
    expect([events, keeper.leaving]).toEqual([[], []]);
    first.says({ event: 'tunnel.token-ending' });
    expect(dials()).toBe(2);
  });

  it('says what to do when a token ends and there is no other, and tries again for the next client', async () => {
    const first = fakeTunnel();
    const second = fakeTunnel();
    const ended = new HoopError('not_logged_in', 'the login has ended');
    const { keeper, events } = keeperOver([first, ended, second]);
    await keeper.start();
    first.says({ event: 'tunnel.token-ending' });
    await expect.poll(() => events).toMatchObject([{ event: 'disconnected', code: 'not_logged_in' }]);
    expect([first.left, first.closed]).toEqual([true, false]);
    await expect(keeper.ready()).resolves.toBe(second);
  });

  it('dials on when a token ends while the agent can not be reached', async () => {
    const first = fakeTunnel();
    const second = fakeTunnel();
    const { keeper, time, events } = keeperOver([first, down, second]);
    await keeper.start();
    first.says({ event: 'tunnel.token-ending' });
    await expect.poll(() => events.length).toBe(1);
    await time.advance(188);
    expect(events.map(({ event }) => event)).toEqual(['reconnecting', 'reconnected']);
    await expect(keeper.ready()).resolves.toBe(second);
  });

  it('hands streams that held on a tunnel it has left to the one in use', async () => {
    const first = fakeTunnel();
    const second = fakeTunnel();
    const { keeper } = keeperOver([first, second]);
    await keeper.start();
    first.says({ event: 'tunnel.token-ending' });
    await expect.poll(() => keeper.ready()).toBe(second);
    const stream = { isClosed: false, lost: () => undefined };
    first.detaches(stream);
    expect(second.resumed).toEqual([stream]);
  });

  it('hands streams that held to the next tunnel, and gives them up after 60 s without one', async () => {
    const first = fakeTunnel();
    const second = fakeTunnel();
    const { keeper, time } = keeperOver([first, down, second, down]);
    await keeper.start();
    const given: (Fault | undefined)[] = [];
    const stream = { isClosed: false, lost: (fault?: Fault) => void given.push(fault) };
    first.detaches(stream);
    first.breaks();
    await time.advance(188 + 375);
    expect(second.resumed).toEqual([stream]);
    second.detaches(stream);
    second.breaks();
    await time.advance(59_000);
    expect(given).toEqual([]);
    await time.advance(2_000);
    expect(given).toMatchObject([{ code: 'unreachable', message: expect.stringContaining('was not run') as string }]);
  });

  it('tells that the sessions of a broken tunnel are closed, before anything else and each once', async () => {
    const first = fakeTunnel();
    const { keeper, events } = keeperOver([first, down]);
    await keeper.start();
    for (const session of ['s1', 's2']) first.says({ event: 'session.opened', session });
    first.says({ event: 'session.closed', session: 's1' });
    events.length = 0;
    first.breaks({ code: 'unreachable', message: 'the tunnel closed (1006)' });
    expect(events).toMatchObject([
      { event: 'session.closed', session: 's2', connection: 'postgres', why: 'the tunnel closed (1006)' },
      { event: 'reconnecting' },
    ]);
    keeper.close();
  });

  it('tells of the last session of a tunnel that was left, without a fault: that one closes with it', async () => {
    const [first, second] = [fakeTunnel(), fakeTunnel()];
    const { keeper, events } = keeperOver([first, second]);
    await keeper.start();
    first.says({ event: 'session.opened', session: 's1' });
    first.says({ event: 'tunnel.token-ending' });
    await expect.poll(() => keeper.ready()).toBe(second);
    first.breaks();
    expect(events.at(-1)).toEqual({ event: 'session.closed', session: 's1', connection: 'postgres' });
  });

  it.each([
    ['was taken up again: only once the agent says so', false, []],
    ['nobody takes up again: after its time', true, ['s1']],
  ])('tells that a session that held is closed, where it %s', async (_title, lost, told) => {
    const tunnels = [fakeTunnel(), fakeTunnel()] as const;
    const { keeper, time, events } = keeperOver([...tunnels]);
    const closed = () => events.filter(({ event }) => event === 'session.closed').map(({ session }) => session);
    await keeper.start();
    tunnels[0].says({ event: 'session.opened', session: 's1' });
    tunnels[0].says({ event: 'approval.waiting', session: 's1', request: 'r' });
    const stream = { isClosed: false, lost: () => undefined };
    tunnels[0].detaches(stream);
    tunnels[0].breaks();
    await time.advance(188);
    expect(tunnels[1].resumed).toEqual([stream]);
    expect(closed()).toEqual([]);
    stream.isClosed = lost;
    await time.advance(61_000);
    expect(closed()).toEqual(told);
    keeper.close();
  });
});

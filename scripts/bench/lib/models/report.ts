import { AT_ONCE, CLIENTS, type Round } from './figures.js';

/** One line of the table: a figure by way, and what is asked of hoop's. */
interface Row {
  readonly name: string;
  readonly cells: ReadonlyMap<string, string>;
  readonly asked: string;
  readonly met: string;
}

function median(numbers: readonly number[]): number {
  const sorted = [...numbers].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1
    ? (sorted[middle] ?? NaN)
    : ((sorted[middle - 1] ?? NaN) + (sorted[middle] ?? NaN)) / 2;
}

type Results = ReadonlyMap<string, readonly Round[]>;

const AGENT = 'hoop at the agent';
const PORT = 'hoop through the port';
const TIMES_PORTKEY = 6;

export function speedRows(results: Results): readonly Row[] {
  const of = (way: string, figure: string): number =>
    median((results.get(way) ?? []).map((round) => round[figure] ?? NaN));
  const ways = [...results.keys()];
  const rate = (clients: number): Row => {
    const figure = `perSecond ${String(clients)}`;
    const portkey = of('Portkey', figure);
    const times = (way: string): number => of(way, figure) / portkey;
    return {
      name: `JSON requests/s, ${String(clients)} client${clients === 1 ? '' : 's'}`,
      cells: new Map(ways.map((way) => [way, of(way, figure).toFixed(0)])),
      asked: `${String(TIMES_PORTKEY)} × Portkey = ${(TIMES_PORTKEY * portkey).toFixed(0)}`,
      met: Number.isNaN(portkey) ? 'no Portkey' : `${times(AGENT).toFixed(1)} ×, port ${times(PORT).toFixed(1)} ×`,
    };
  };
  /** Milliseconds more than direct. */
  const added = (name: string, figure: string, atMost: Readonly<Record<string, number>>): Row => {
    const more = (way: string): number => of(way, figure) - of('direct', figure);
    const cell = (way: string): string =>
      way === 'direct' ? `${of(way, figure).toFixed(2)} ms` : `+${more(way).toFixed(2)} ms`;
    return {
      name,
      cells: new Map(ways.map((way) => [way, cell(way)])),
      asked: Object.entries(atMost)
        .map(([way, most]) => `${way.replace('hoop ', '')} ≤ ${String(most)} ms`)
        .join(', '),
      met: Object.entries(atMost).every(([way, most]) => more(way) <= most) ? 'yes' : 'no',
    };
  };
  return [
    ...CLIENTS.map(rate),
    added('JSON latency p50, 1 client', 'p50', { [AGENT]: 0.3, [PORT]: 0.5 }),
    added('JSON latency p99, 1 client', 'p99', { [AGENT]: 2, [PORT]: 2 }),
    added('time to the first token, 1 stream', 'first', { [AGENT]: 0.8, [PORT]: 0.8 }),
    added(`time to the first token, ${String(AT_ONCE)} new streams at once, p50`, 'many50', {
      [AGENT]: 10,
      [PORT]: 10,
    }),
    added(`the same, the last of ${String(AT_ONCE)}`, 'manyLast', { [AGENT]: 10, [PORT]: 10 }),
    added('gap between events, p50', 'gap50', {}),
    added('gap between events, p99', 'gap99', { [AGENT]: 2, [PORT]: 2 }),
  ];
}

export function table(ways: readonly string[], rows: readonly Row[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  const head = ['', ...ways, 'at least', 'met'];
  return [
    line(head),
    line(head.map(() => '---')),
    ...rows.map(({ name, cells, asked, met }) => line([name, ...ways.map((way) => cells.get(way) ?? ''), asked, met])),
  ].join('\n');
}

/** In MB. */
export interface MemoryFigures {
  readonly held: number;
  readonly before: number;
  readonly begun: number;
  readonly later: number;
  readonly up: number;
  readonly down: number;
}

export function memoryRows({ held, before, begun, later, up, down }: MemoryFigures): string {
  const mb = (number: number): string => `${number.toFixed(1)} MB`;
  return [
    `${String(held)} streams at once: the agent's memory ${mb(before)} before, ${mb(begun)} once all had begun, ${mb(later)} at the end (flat: less than 20 MB more)`,
    `a body of 100 MB that nothing reads: the agent's memory grows by ${mb(up)} up and ${mb(down)} down at most (less than 20 MB)`,
  ].join('\n');
}

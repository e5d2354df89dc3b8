import { misses } from './least.js';
import type { Result } from './results.js';

/** Where it was measured. */
export interface Machine {
  readonly cpu: string;
  readonly cores: number;
  readonly node: string;
  readonly platform: string;
}

/** A table for each transport, then what is missing to the least. */
export function readableReport(machine: Machine, rounds: number, results: readonly Result[]): string {
  const head = `${machine.cpu}, ${machine.cores} cores, Node ${machine.node}, ${machine.platform}; medians of ${rounds} interleaved rounds\n`;
  const tables = [...new Set(results.map(({ transport }) => transport))].map((transport) => {
    const rows = results.filter((result) => result.transport === transport).map(row);
    const widths = columns.map((name, column) => Math.max(name.length, ...rows.map((cells) => cells[column]?.length ?? 0)));
    return `\n${transport}\n${[columns, ...rows].map((cells) => `  ${line(cells, widths)}\n`).join('')}`;
  });
  return head + tables.join('') + missesReport(results);
}

function missesReport(results: readonly Result[]): string {
  if (!results.some(({ peer }) => peer === 'ours')) return '';
  const missed = misses(results).map(({ transport, what, reached, least }) => `  ${transport}, ${what}: ${reached}; the least is ${least}\n`);
  return missed.length === 0 ? '\nNothing measured here misses the least.\n' : `\nMisses the least (docs/performance.md):\n${missed.join('')}`;
}

const columns = ['workload', 'peer', 'median', 'min', 'max', 'unit', '× raw', '× fastest peer'];

function row({ workload, peer, median, min, max, unit, ratioToRaw, ratioToFastestPeer }: Result): string[] {
  return [workload, peer, figure(median), figure(min), figure(max), unit, ratio(ratioToRaw), ratio(ratioToFastestPeer)];
}

/** Names to the left, figures to the right. */
function line(cells: readonly string[], widths: readonly number[]): string {
  return cells
    .map((cell, column) => ([0, 1, 5].includes(column) ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0)))
    .join('  ')
    .trimEnd();
}

function figure(value: number): string {
  if (value >= 100) return Math.round(value).toLocaleString('en');
  return value.toPrecision(3);
}

function ratio(value: number | null): string {
  return value === null ? '' : value.toFixed(2);
}

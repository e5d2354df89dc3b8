import { describe, expect, test } from 'vitest';
import { pluginEffects, pluginEvents, pluginStates, pluginTable } from '../../src/host/plugin-table.js';
import { type TransitionTable, transition } from '../../src/worker/transition-table.js';
import { workerEffects, workerEvents, workerStates, workerTable } from '../../src/worker/worker-table.js';

interface Lifecycle {
  readonly table: TransitionTable<string, string, string>;
  readonly states: readonly string[];
  readonly events: readonly string[];
  readonly effects: readonly string[];
  readonly first: string;
  /** The state that can be reached from everywhere. */
  readonly rest: string;
}

const lifecycles: Record<string, Lifecycle> = {
  worker: {
    table: workerTable as Lifecycle['table'],
    states: workerStates,
    events: workerEvents,
    effects: workerEffects,
    first: 'starting',
    rest: 'exited',
  },
  plugin: {
    table: pluginTable as Lifecycle['table'],
    states: pluginStates,
    events: pluginEvents,
    effects: pluginEffects,
    first: 'idle',
    rest: 'idle',
  },
};

function reachable({ table }: Lifecycle, from: string): Set<string> {
  const seen = new Set([from]);
  for (const state of seen) for (const next of Object.values(table[state] ?? {})) if (next !== undefined) seen.add(next.to);
  return seen;
}

describe.each(Object.entries(lifecycles))('[lifecycle.worker-table] [lifecycle.plugin-table] the table of a %s', (_name, lifecycle) => {
  const { table, states, events, effects, first, rest } = lifecycle;

  test('answers every event in every state with a known state and known effects, and is pure', () => {
    expect(Object.keys(table).sort()).toEqual([...states].sort());
    for (const state of states) {
      for (const event of Object.keys(table[state] ?? {})) expect(events).toContain(event);
      for (const event of events) {
        const answer = transition(table, state, event);
        expect(states).toContain(answer.to);
        for (const effect of answer.effects) expect(effects).toContain(effect);
        expect(new Set(answer.effects).size).toBe(answer.effects.length);
        expect(transition(table, state, event)).toEqual(answer);
        if (table[state]?.[event] === undefined) expect(answer).toEqual({ to: state, effects: [] });
      }
    }
  });

  test('reaches every state, and its rest from everywhere', () => {
    expect([...reachable(lifecycle, first)].sort()).toEqual([...states].sort());
    for (const state of states) expect(reachable(lifecycle, state)).toContain(rest);
  });

  test('uses every event and every effect', () => {
    const used = states.flatMap((state) => Object.entries(table[state] ?? {}));
    expect([...new Set(used.map(([event]) => event))].sort()).toEqual([...events].sort());
    expect([...new Set(used.flatMap(([, next]) => next?.effects ?? []))].sort()).toEqual([...effects].sort());
  });

  test('announces every change of state, and nothing else', () => {
    for (const state of states) {
      for (const next of Object.values(table[state] ?? {})) expect(next?.effects.includes('announce')).toBe(next?.to !== state);
    }
  });

  test('names no event that every object has', () => {
    for (const event of ['constructor', 'toString', '__proto__']) {
      for (const state of states) expect(Object.hasOwn(table[state] ?? {}, event)).toBe(false);
    }
  });
});

describe('[lifecycle.worker-table] a worker', () => {
  test('leaves exited by no event, and enters it by the end of its process only', () => {
    for (const event of workerEvents) expect(transition(workerTable, 'exited', event)).toEqual({ to: 'exited', effects: [] });
    for (const state of workerStates.filter((each) => each !== 'exited')) {
      for (const event of workerEvents) expect(transition(workerTable, state, event).to === 'exited').toBe(event === 'exited');
    }
  });

  test('that is stopping can always be terminated or killed, and is watched or on its way out otherwise', () => {
    expect(transition(workerTable, 'stopping', 'exit-overdue').effects).toEqual(['terminate']);
    for (const state of ['ready', 'draining', 'disconnected', 'stopping'] as const)
      expect(transition(workerTable, state, 'failed').effects).toContain('kill');
    for (const state of workerStates.filter((each) => each !== 'exited')) expect(transition(workerTable, state, 'failed').to).toBe('stopping');
  });
});

describe('[lifecycle.plugin-table] a plugin', () => {
  test('that is disabled starts by nothing but enabling it first', () => {
    for (const event of pluginEvents) expect(transition(pluginTable, 'disabled', event).to).toBe(event === 'enable' ? 'idle' : 'disabled');
  });

  test('launches exactly where it enters starting, and stops its worker exactly where it enters stopping', () => {
    for (const state of pluginStates) {
      for (const event of pluginEvents) {
        const { to, effects } = transition(pluginTable, state, event);
        expect(effects.includes('launch')).toBe(to === 'starting' && state !== 'starting');
        expect(effects.includes('stop-worker')).toBe(to === 'stopping' && state !== 'stopping');
        expect(effects.includes('schedule-retry')).toBe(to === 'backoff' && state !== 'backoff');
      }
    }
    for (const event of pluginEvents) {
      const { to, effects } = transition(pluginTable, 'backoff', event);
      if (to !== 'backoff' && event !== 'retry-due') expect(effects).toContain('cancel-retry');
    }
  });
});

import { describe, expect, test } from 'vitest';
import type { Connection, ConnectionHandlers, Transport } from '../../src/interfaces/transport.js';
import { nodePlatform } from '../../src/node/node-platform.js';
import type { TransportFactory, TransportPair } from '../../src/testing/index.js';
import { testTransport } from '../../src/testing/test-transport.js';
import { createMemoryPair, type MemoryPair, memoryTransport } from '../../transports/memory/index.js';

const { clock } = nodePlatform();
const closeTimeoutMs = 150;

/** Runs the behaviours of the suite whose titles match. A behaviour that a broken transport never lets end counts as failed. */
async function failuresOf(factory: TransportFactory, titles: RegExp, limitMs = 4_000): Promise<string[]> {
  const tests: { title: string; run: (...context: unknown[]) => Promise<void> }[] = [];
  testTransport('broken', factory, {
    runner: { describe: (_name, define) => define(), test: (title, run) => void tests.push({ title, run }) },
  });
  const tried = tests.filter(({ title }) => titles.test(title));
  expect(tried.length).toBeGreaterThan(0);
  const outcomes = await Promise.all(
    tried.map(async ({ run }) => {
      let timer: NodeJS.Timeout | undefined;
      const limit = new Promise<string>((resolve) => {
        timer = setTimeout(() => resolve('time is up'), limitMs);
      });
      const failure = run().then(
        () => undefined,
        (error: Error) => error.message,
      );
      return Promise.race([failure, limit]).finally(() => clearTimeout(timer));
    }),
  );
  return outcomes.filter((failure) => failure !== undefined);
}

/** A factory whose left ends (or both) are spoilt. */
function spoilt(spoil: (inner: Connection, pair: MemoryPair) => Partial<Connection>, sides: 'left' | 'both' = 'both'): TransportFactory {
  const wrap = (inner: Connection, pair: MemoryPair): Connection => ({
    start: (handlers) => inner.start(handlers),
    send: (chunks) => inner.send(chunks),
    close: (options) => inner.close(options),
    maxFrameBytes: inner.maxFrameBytes,
    peer: inner.peer,
    ...spoil(inner, pair),
  });
  return () => ({
    open(): TransportPair {
      const pair = createMemoryPair({ clock, closeTimeoutMs });
      return {
        left: wrap(pair[0], pair),
        right: sides === 'both' ? wrap(pair[1], pair) : pair[1],
        kill: () => pair.faults[1].cut({ deliverBytes: 0 }),
      };
    },
  });
}

/** Handlers that do something else in one place. */
const instead = (handlers: ConnectionHandlers, changes: Partial<ConnectionHandlers>): ConnectionHandlers => ({
  onData: (chunk) => handlers.onData(chunk),
  onWritable: () => handlers.onWritable(),
  onClose: (reason) => handlers.onClose(reason),
  ...changes,
});

/** The last of what was evaluated, in order. */
const last = <T>(...values: [...unknown[], T]): T => values.at(-1) as T;

const startsWith = (inner: Connection, changes: (handlers: ConnectionHandlers) => Partial<ConnectionHandlers>): Partial<Connection> => ({
  start: (handlers) => inner.start(instead(handlers, changes(handlers))),
});

const faulty: readonly (readonly [what: string, factory: TransportFactory, titles: RegExp, message: RegExp])[] = [
  [
    'flips a bit',
    spoilt((inner, pair) => ({ send: (chunks) => last(pair.faults[0].corruptNext(), inner.send(chunks)) }), 'left'),
    /both ways/,
    /byte \d+ that arrived is not the one that was sent/,
  ],
  [
    'loses a chunk',
    spoilt((inner, pair) => ({ send: (chunks) => last(chunks[0]!.length === 20 && pair.faults[0].dropNext(), inner.send(chunks)) }), 'left'),
    /order of many/,
    /is not the one that was sent/,
  ],
  ['turns the order round', spoilt((inner) => ({ send: (chunks) => inner.send([...chunks].reverse()) })), /concatenation/, /is not the one/],
  [
    'sends everything twice',
    spoilt((inner) => ({ send: (chunks) => last(inner.send(chunks), inner.send(chunks)) }), 'left'),
    /both ways/,
    /is not the one that was sent|time is up/,
  ],
  [
    'never says false',
    spoilt((inner) => ({ send: (chunks) => last(inner.send(chunks), true) })),
    /never reads, and costs|for as long/,
    /never returned false/,
  ],
  ['always says false', spoilt((inner) => ({ send: (chunks) => last(inner.send(chunks), false) })), /both ways$/, /returned false/],
  ['forgets onWritable', spoilt((inner) => startsWith(inner, () => ({ onWritable() {} }))), /reads again|sixteen mebibytes/, /time is up/],
  [
    'calls onWritable unasked',
    spoilt((inner) => startsWith(inner, (handlers) => ({ onData: (chunk) => last(handlers.onData(chunk), handlers.onWritable()) }))),
    /both ways$/,
    /onWritable was called although/,
  ],
  [
    'ends twice',
    spoilt((inner) => startsWith(inner, (handlers) => ({ onClose: (reason) => last(handlers.onClose(reason), handlers.onClose(reason)) }))),
    /second close/,
    /onClose was called after onClose|more than once/,
  ],
  [
    'delivers after the end',
    spoilt((inner) => startsWith(inner, (handlers) => ({ onClose: (reason) => last(handlers.onClose(reason), handlers.onData(new Uint8Array(1))) }))),
    /flushes before/,
    /onData was called after/,
  ],
  [
    'calls back from within send',
    spoilt((inner) => {
      let told: ConnectionHandlers | undefined;
      return {
        start(handlers) {
          told = handlers;
          inner.start(handlers);
        },
        send: (chunks) => last(inner.send(chunks), told?.onWritable(), true),
      };
    }),
    /both ways$/,
    /called from within send/,
  ],
  [
    'reuses the memory of what it has delivered',
    spoilt((inner) => {
      const shared = new Uint8Array(4_096);
      return startsWith(inner, (handlers) => ({
        onData(chunk) {
          if (chunk.length > shared.length) return handlers.onData(chunk);
          shared.set(chunk);
          handlers.onData(shared.subarray(0, chunk.length));
        },
      }));
    }),
    /never changes a chunk/,
    /has changed since/,
  ],
  [
    'takes the memory of its sender away',
    spoilt((inner) => ({
      send(chunks) {
        const answer = inner.send(chunks);
        for (const { buffer } of chunks) if (buffer.byteLength > 0) structuredClone(buffer, { transfer: [buffer as ArrayBuffer] });
        return answer;
      },
    })),
    /memory of the sender/,
    /threw|taken away|too early|time is up/,
  ],
  [
    'aborts where it should flush',
    spoilt((inner) => ({ close: (options) => inner.close({ ...options, abort: true }) })),
    /flushes before/,
    /ABORTED/,
  ],
  [
    'ignores abort',
    spoilt((inner) => ({ close: (options) => inner.close({ ...options, abort: false }) })),
    /aborts at once/,
    /bytes were not taken within 150 ms/,
  ],
  [
    'has no bound for close',
    () => ({
      open() {
        const [left, right] = createMemoryPair({ clock, closeTimeoutMs: 1e9 });
        return { left, right };
      },
    }),
    /gives up a close/,
    /time is up/,
  ],
  [
    'throws after the end',
    spoilt((inner) => {
      let closed = false;
      return {
        close(options) {
          closed = true;
          inner.close(options);
        },
        send(chunks) {
          if (closed) throw new Error('write after end');
          return inner.send(chunks);
        },
      };
    }),
    /sends nothing after close/,
    /send threw Error: write after end/,
  ],
  [
    'says true after the end',
    spoilt((inner) => ({ send: (chunks) => inner.send(chunks) || chunks[0]!.length === 13 })),
    /sends nothing after close/,
    /returned true although the connection was closed/,
  ],
  [
    'loses what comes before start',
    spoilt((inner) => {
      let handlers: ConnectionHandlers | undefined;
      let flowing = false;
      inner.start({
        onData: (chunk) => handlers?.onData(chunk),
        onWritable: () => handlers?.onWritable(),
        onClose: (reason) => handlers?.onClose(reason),
      });
      return {
        start(given) {
          if (flowing) throw new Error('once');
          flowing = true;
          handlers = given;
        },
      };
    }),
    /before start, the end/,
    /time is up|lost/,
  ],
  [
    'can be started twice',
    spoilt((inner) => {
      let first = true;
      return {
        start(handlers) {
          if (first) inner.start(handlers);
          first = false;
        },
      };
    }),
    /second start/,
    /started twice/,
  ],
  ['swallows the end', spoilt((inner) => startsWith(inner, () => ({ onClose() {} }))), /both ways$/, /time is up/],
  [
    'names no reason',
    spoilt((inner) => startsWith(inner, (handlers) => ({ onClose: () => handlers.onClose({ code: 'CLOSED', message: '' }) }))),
    /second close/,
    /no message/,
  ],
  [
    'says CLOSED where it was the other side',
    spoilt((inner) => startsWith(inner, (handlers) => ({ onClose: ({ message }) => handlers.onClose({ code: 'CLOSED', message }) }))),
    /flushes before/,
    /onClose says CLOSED although this side has not closed/,
  ],
  [
    'does not notice that the peer has died, and does not say so',
    () => ({
      open() {
        const pair = createMemoryPair({ clock, closeTimeoutMs });
        return { left: pair[0], right: pair[1], kill: () => void pair.faults.map((fault) => fault.fence()) };
      },
    }),
    /by itself when the peer dies/,
    /time is up/,
  ],
  [
    'claims after a death that all is well',
    spoilt((inner) =>
      startsWith(inner, (handlers) => ({
        onClose: (reason) => handlers.onClose({ ...reason, code: reason.code === 'CONNECTION_LOST' ? 'CLOSED' : reason.code }),
      })),
    ),
    /peer dies while it closes/,
    /ended with CLOSED/,
  ],
  ['has a frame limit below the handshake', spoilt(() => ({ maxFrameBytes: 65_536 })), /frame limit$/, /Cut frames into segments/],
];

/** A memory transport that is spoilt in one place. */
const spoiltTransport = (spoil: (inner: Transport) => Partial<Transport>): TransportFactory => {
  return () => {
    const inner = memoryTransport({ clock, closeTimeoutMs });
    return { name: inner.name, dial: (...all) => inner.dial(...all), listen: (...all) => inner.listen(...all), ...spoil(inner) };
  };
};

const faultyTransports: readonly (readonly [what: string, factory: TransportFactory, titles: RegExp, message: RegExp])[] = [
  ['ignores the signal', spoiltTransport((inner) => ({ dial: (address) => inner.dial(address) })), /aborted (before|meanwhile)/, /has succeeded/],
  [
    'keeps the signal',
    spoiltTransport((inner) => ({
      async dial(address, options) {
        const connection = await inner.dial(address, options);
        options?.signal?.addEventListener('abort', () => connection.close({ abort: true }));
        return connection;
      },
    })),
    /lets go of the signal/,
    /onClose says ABORTED although this side has not closed/,
  ],
  [
    'keeps the address',
    spoiltTransport((inner) => ({ listen: async (...all) => ({ ...(await inner.listen(...all)), close: async () => {} }) })),
    /frees the address|where nobody listens/,
    /Somebody listens|has succeeded/,
  ],
  [
    'lets an address be taken twice',
    spoiltTransport((inner) => ({ listen: (address, accept) => inner.listen(address, accept).catch(() => inner.listen('', accept)) })),
    /address that is taken/,
    /Two listeners/,
  ],
  [
    'gives two diallers one connection',
    spoiltTransport((inner) => {
      let only: Promise<Connection> | undefined;
      return {
        dial(...all) {
          only ??= inner.dial(...all);
          return only;
        },
      };
    }),
    /connection of its own/,
    /start threw/,
  ],
];

describe('testTransport', () => {
  test.each([...faulty, ...faultyTransports])('[testing.transport-suite] finds a transport that %s', async (_what, factory, titles, message) => {
    // What never ends is given up soon; what is found is waited for, however busy the machine is.
    const failures = await failuresOf(factory, titles, message.test('time is up') ? 500 : 4_000);
    expect(failures.join('\n')).toMatch(message);
    expect(failures.length).toBeGreaterThan(0);
  });

  test('runs with the globals of a runner, gives its time limit, and asks for no callback', async () => {
    const registered: { title: string; parameters: number; timeoutMs: number }[] = [];
    const globals = globalThis as { describe?: unknown; test?: unknown };
    globals.describe = (_name: string, define: () => void) => define();
    globals.test = (title: string, run: () => void, timeoutMs: number) => registered.push({ title, parameters: run.length, timeoutMs });
    try {
      testTransport('memory', () => memoryTransport({ clock }), { timeoutMs: 1_234 });
    } finally {
      delete globals.describe;
      delete globals.test;
    }
    expect(registered.length).toBeGreaterThan(40);
    expect(new Set(registered.map(({ title }) => title)).size).toBe(registered.length);
    expect(registered.every(({ parameters, timeoutMs }) => parameters === 0 && timeoutMs === 1_234)).toBe(true);
  });

  test('says what to do where there is no runner', () => {
    expect(() => testTransport('memory', () => memoryTransport({ clock }))).toThrow(
      expect.objectContaining({ code: 'INVALID_ARGUMENT', message: expect.stringContaining('runner: { describe, test }') }),
    );
  });

  test('says what a factory must return', async () => {
    expect(await failuresOf(() => ({}), /second start/)).toEqual([expect.stringContaining('must return a Transport, or a fixture')]);
  });

  test('skips what a factory offers nothing for, and tells the runner why', async () => {
    const skipped: string[] = [];
    const tests: ((...context: unknown[]) => Promise<void>)[] = [];
    testTransport(
      'pairs',
      spoilt(() => ({})),
      {
        runner: { describe: (_name, define) => define(), test: (title, run) => void (/dial|address|listener/.test(title) && tests.push(run)) },
      },
    );
    for (const run of tests) await run({ skip: (reason: string) => skipped.push(reason) });
    expect(skipped).toHaveLength(tests.length);
    expect(new Set(skipped)).toEqual(new Set(['This factory makes connections, no transport that could be dialled.']));
  });

  test('cleans up after a failure, and after a success', async () => {
    let disposed = 0;
    const factory =
      (open: () => TransportPair): TransportFactory =>
      () => ({
        open,
        dispose() {
          disposed += 1;
        },
      });
    const sound = () => {
      const [left, right] = createMemoryPair({ clock, closeTimeoutMs });
      return { left, right };
    };
    expect(await failuresOf(factory(sound), /second start/)).toEqual([]);
    const broken = () => {
      throw new Error('no cable');
    };
    expect(await failuresOf(factory(broken), /second start/)).toEqual(['no cable']);
    expect(disposed).toBe(2);
  });
});

import { describe, expect, test } from 'vitest';
import type { Logger } from '../../src/interfaces/logger.js';
import type { BusEvent } from '../../src/services/bus-event.js';
import { EventBus } from '../../src/services/event-bus.js';

function createBus() {
  const errors: unknown[] = [];
  const logger: Logger = { debug() {}, info() {}, warn() {}, error: (fields) => void errors.push(fields) };
  const bus = new EventBus(logger);
  let count = 0;
  const publish = async (topic: string, payload?: unknown): Promise<void> => {
    count += 1;
    await bus.publish({ id: `e${count}`, topic, source: 'host', timestamp: '2026-01-01T00:00:00.000Z', payload });
  };
  return { bus, errors, publish };
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe('[events.patterns]', () => {
  test.each([
    ['mail.sent', ['mail.sent'], ['mail', 'mail.sent.now', 'mail.sentt', 'Mail.sent']],
    ['mail.*', ['mail.sent', 'mail.x'], ['mail', 'mail.a.b', 'mailx.sent']],
    ['mail.**', ['mail.sent', 'mail.a.b.c'], ['mail', 'mails.a']],
    ['*.sent', ['mail.sent', 'news.sent'], ['sent', 'a.b.sent']],
    ['*', ['mail'], ['mail.sent']],
    ['**', ['mail', 'mail.a.b'], []],
    ['a.*.c', ['a.b.c'], ['a.c', 'a.b.b.c']],
  ])('%s', async (pattern, matching, others) => {
    const { bus, publish } = createBus();
    const heard: string[] = [];
    bus.subscribe(pattern, ({ topic }) => void heard.push(topic));
    for (const topic of [...matching, ...others]) await publish(topic);
    expect(heard).toEqual(matching);
  });

  test.each(['', '.', 'a..b', 'a.', '.a', 'a.**.b', 'a*', '***', 'a b', 'a\u0000', 'x'.repeat(257), Array.from({ length: 33 }, () => 'a').join('.')])(
    '%j is no pattern',
    (pattern) => {
      const { bus } = createBus();
      expect(() => bus.subscribe(pattern, () => {})).toThrow(expect.objectContaining({ code: 'INVALID_ARGUMENT' }));
    },
  );

  test.each(['', 'a.*', '**', 'a..b', 'a b', 'a\u001b[2J'])('%j is no topic', async (topic) => {
    await expect(createBus().publish(topic)).rejects.toMatchObject({ code: 'INVALID_ARGUMENT', message: expect.not.stringContaining('\u001b') });
  });
});

describe('[events.order]', () => {
  test('each subscriber hears events in order, one at a time', async () => {
    const { bus, publish } = createBus();
    const heard: number[] = [];
    let running = 0;
    bus.subscribe('a', async ({ payload }) => {
      running += 1;
      expect(running).toBe(1);
      await turn();
      heard.push(payload as number);
      running -= 1;
    });
    for (let index = 0; index < 20; index += 1) void publish('a', index);
    while (heard.length < 20) await turn();
    expect(heard).toEqual(Array.from({ length: 20 }, (_, index) => index));
  });

  test('an event that a handler publishes at once does not overtake the one that it handles', async () => {
    const { bus, publish } = createBus();
    const heard: unknown[] = [];
    bus.subscribe('a', ({ payload }) => {
      if (payload === 1) void publish('a', 2);
    });
    bus.subscribe('a', ({ payload }) => void heard.push(payload));
    await publish('a', 1);
    expect(heard).toEqual([1, 2]);
  });
});

describe('[events.slow-subscriber]', () => {
  test('drops the oldest and says before the next how many', async () => {
    const { bus, publish } = createBus();
    const heard: [unknown, number | undefined][] = [];
    let release: () => void = () => {};
    bus.subscribe(
      'a',
      ({ payload, missed }) => {
        heard.push([payload, missed]);
        return new Promise<void>((resolve) => (release = resolve));
      },
      { capacity: 2 },
    );
    for (let index = 0; index < 6; index += 1) await publish('a', index);
    for (let step = 0; step < 3; step += 1) {
      release();
      await turn();
    }
    expect(heard).toEqual([
      [0, undefined],
      [4, 3],
      [5, undefined],
    ]);
  });

  test('holds up the publisher, by its own choice, and nobody else', async () => {
    const { bus, publish } = createBus();
    const slow: unknown[] = [];
    const fast: unknown[] = [];
    const releases: (() => void)[] = [];
    bus.subscribe(
      'a',
      ({ payload }) => {
        slow.push(payload);
        return new Promise<void>((resolve) => releases.push(resolve));
      },
      {
        capacity: 1,
        onFull: 'slow-publisher',
      },
    );
    bus.subscribe('a', ({ payload }) => void fast.push(payload));
    let published = 0;
    const publishing = (async () => {
      for (let index = 0; index < 4; index += 1) {
        await publish('a', index);
        published += 1;
      }
    })();
    await turn();
    expect([published, fast]).toEqual([2, [0, 1, 2]]);
    while (slow.length < 4) {
      releases.shift()?.();
      await turn();
    }
    await publishing;
    expect(slow).toEqual([0, 1, 2, 3]);
    expect(slow).toEqual(fast);
  });

  test('publishers that do not wait are refused in the end, and nobody is told then', async () => {
    const { bus, publish } = createBus();
    bus.subscribe('a', () => new Promise(() => {}), { capacity: 1, onFull: 'slow-publisher' });
    const heard: unknown[] = [];
    bus.subscribe('a', ({ payload }) => void heard.push(payload));
    const outcomes: string[] = [];
    for (let index = 0; index < 1_100; index += 1) publish('a', index).then(undefined, ({ code }) => outcomes.push(code));
    await turn();
    expect(outcomes).toEqual(Array.from({ length: 98 }, () => 'OVERLOADED'));
    expect(heard).toHaveLength(1_002);
    bus.close();
  });

  test('counts bytes as well as events, and lets one event wait however large it is', async () => {
    const { bus, publish } = createBus();
    const heard: BusEvent[] = [];
    let release: () => void = () => {};
    bus.subscribe(
      'a',
      (event) => {
        heard.push(event);
        return new Promise<void>((resolve) => {
          release = resolve;
        });
      },
      { maxBytes: 10_000 },
    );
    const payloads = ['first', 'x'.repeat(4_000), 'y'.repeat(4_000), 'z'.repeat(100_000)];
    for (const payload of payloads) await publish('a', payload);
    for (let step = 0; step < 4; step += 1) {
      release();
      await turn();
    }
    expect(heard.map(({ payload, missed }) => [(payload as string)[0], missed])).toEqual([
      ['f', undefined],
      ['z', 2],
    ]);
  });

  test.each([{ capacity: 0 }, { capacity: Number.NaN }, { capacity: 1.5 }, { maxBytes: -1 }])('%o is refused', (options) => {
    expect(() => createBus().bus.subscribe('a', () => {}, options)).toThrow(expect.objectContaining({ code: 'INVALID_ARGUMENT' }));
  });
});

describe('handlers', () => {
  test('that throw or reject are logged, and hear the next event', async () => {
    const { bus, publish, errors } = createBus();
    const heard: unknown[] = [];
    bus.subscribe('a', ({ payload }) => {
      heard.push(payload);
      throw new Error('sync');
    });
    bus.subscribe('a', async () => {
      throw new Error('async');
    });
    await publish('a', 1);
    await publish('a', 2);
    await turn();
    expect(heard).toEqual([1, 2]);
    expect(errors).toHaveLength(4);
    expect(errors[0]).toMatchObject({ topic: 'a', subscriber: 'a' });
  });

  test('may unsubscribe themselves and others while they are called', async () => {
    const { bus, publish } = createBus();
    const heard: string[] = [];
    const offs: (() => void)[] = [];
    offs.push(
      bus.subscribe('a', () => {
        heard.push('first');
        for (const off of offs) off();
      }),
    );
    offs.push(bus.subscribe('a', () => void heard.push('second')));
    await publish('a');
    await publish('a');
    expect(heard).toEqual(['first']);
    expect(bus).toBeDefined();
  });

  test('hear nothing after the end, and a publisher that waited goes on', async () => {
    const { bus, publish } = createBus();
    const heard: unknown[] = [];
    bus.subscribe(
      'a',
      ({ payload }) => {
        heard.push(payload);
        return new Promise(() => {});
      },
      { capacity: 1, onFull: 'slow-publisher' },
    );
    await publish('a', 1);
    await publish('a', 2);
    const waiting = publish('a', 3);
    bus.close();
    await waiting;
    await expect(publish('a', 4)).rejects.toMatchObject({ code: 'HOST_STOPPED' });
    expect(heard).toEqual([1]);
  });
});

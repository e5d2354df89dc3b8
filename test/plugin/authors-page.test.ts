import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { WorkerRuntimeError } from '../../src/errors/worker-runtime-error.js';
import { digests } from './authors-page/contract.js';
import { plugin } from './authors-page/plugin.js';
import { rejection, startPlugin } from './test-host.js';

const page = readFileSync(new URL('../../docs/plugin-authors.md', import.meta.url), 'utf8');

test.each(['contract.ts', 'plugin.ts'])('docs/plugin-authors.md shows %s as it is', (file) => {
  const source = readFileSync(new URL(`authors-page/${file}`, import.meta.url), 'utf8');
  expect(page).toContain(source.replace('../../../src/plugin/index.js', '@synapse/worker-runtime/plugin'));
});

test('the plugin of docs/plugin-authors.md does what the page says', async () => {
  let allowed = true;
  const kept = new Map<string, unknown>([
    ['work/a', 1],
    ['work/b', 2],
    ['work/c', 3],
  ]);
  const host = await startPlugin(plugin, {
    welcome: { config: { language: 'de' } },
    services: {
      'storage.list': (params) => ({ keys: [...kept.keys()].filter((key) => key.startsWith((params as { prefix: string }).prefix)) }),
      'storage.set': (params) => {
        const details = { capability: 'storage.write', scope: { keys: ['inbox/e2'] }, decisionId: 'd1' };
        if (!allowed) throw new WorkerRuntimeError('CAPABILITY_DENIED', 'Not granted.', { details });
        const { key, value } = params as { key: string; value: unknown };
        kept.set(key, value);
      },
    },
  });
  const api = host.as(digests);
  expect(await api.digest({ folder: 'work', limit: 2 })).toEqual({ subjects: ['work/a', 'work/b'] });
  expect(await rejection(api.digest({ folder: 'inbox' }))).toMatchObject({
    code: 'HANDLER_ERROR',
    handlerCode: 'empty',
    details: { folder: 'inbox' },
  });
  const event = { topic: 'mail.received', source: 'mailer', timestamp: '2026-01-01T00:00:00Z' };
  host.session.notify('events.deliver', { id: 'e1', ...event, payload: { subject: 'x' } });
  await host.clock.settle();
  expect(kept.get('inbox/e1')).toEqual({ subject: 'x' });
  allowed = false;
  host.session.notify('events.deliver', { id: 'e2', ...event });
  await host.clock.settle();
  expect(host.logs).toMatchObject([
    { level: 'info', message: 'ready', fields: { language: 'de' } },
    { level: 'warn', message: 'not allowed to keep mail', fields: { capability: 'storage.write', scope: { keys: ['inbox/e2'] } } },
  ]);
  const stream = api.follow({ folder: 'work' });
  const items: string[] = [];
  for await (const item of stream) items.push(item);
  expect(items).toEqual(['work/a', 'work/b', 'work/c']);
  expect(await stream.result).toEqual({ seen: 3 });
});

import type { PluginAgents, PluginEvents, PluginStorage } from './context.js';
import type { EventSubscriptions } from './event-subscriptions.js';
import { assertTopicPattern } from './topic-pattern.js';

/** Calls a method of the host. */
export type CallHost = (method: string, params: unknown) => Promise<unknown>;

/** The `ctx.events` of a context. */
export function hostEvents(call: CallHost, subscriptions: EventSubscriptions): PluginEvents {
  return {
    async publish(topic, payload, options = {}) {
      const answer = await call('events.publish', {
        topic,
        payload,
        ...(options.correlationId === undefined ? {} : { correlationId: options.correlationId }),
      });
      return { id: String(fieldOf(answer, 'id')) };
    },
    async subscribe(pattern, handler) {
      assertTopicPattern(pattern);
      // Before the host is asked: the first event may come with the answer.
      const subscription = subscriptions.add(pattern, handler);
      try {
        await call('events.subscribe', { pattern });
      } catch (error) {
        subscriptions.remove(subscription);
        throw error;
      }
      return async () => {
        if (subscriptions.remove(subscription)) await call('events.unsubscribe', { pattern });
      };
    },
  };
}

/** The `ctx.storage` of a context. */
export function hostStorage(call: CallHost): PluginStorage {
  return {
    async get(key) {
      const answer = await call('storage.get', { key });
      return fieldOf(answer, 'found') === true ? fieldOf(answer, 'value') : undefined;
    },
    async set(key, value) {
      await call('storage.set', { key, value });
    },
    async delete(key) {
      return fieldOf(await call('storage.delete', { key }), 'deleted') === true;
    },
    async list(prefix) {
      const all: string[] = [];
      for (let more = true; more; ) {
        // The host answers with a part at a time.
        const answer = await call('storage.list', {
          ...(prefix === undefined ? {} : { prefix }),
          ...(all.length === 0 ? {} : { after: all.at(-1) }),
        });
        const keys = fieldOf(answer, 'keys');
        if (Array.isArray(keys)) all.push(...keys.map(String));
        more = fieldOf(answer, 'more') === true && Array.isArray(keys) && keys.length > 0;
      }
      return all;
    },
  };
}

/** The `ctx.agents` of a context. */
export function hostAgents(call: CallHost): PluginAgents {
  return {
    async message(inbound) {
      return { accepted: fieldOf(await call('agents.message', inbound), 'accepted') === true };
    },
  };
}

function fieldOf(answer: unknown, name: string): unknown {
  return typeof answer === 'object' && answer !== null && Object.hasOwn(answer, name) ? (answer as Record<string, unknown>)[name] : undefined;
}

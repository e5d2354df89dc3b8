import { z } from 'zod';
import { eventsPublish, eventsSubscribe } from '../capabilities/builtin-capabilities.js';
import { defineMethod, defineService, type Service, type ServiceCall } from './define-service.js';

/** What the events service does its work with. */
export interface EventsBackend {
  /** Publishes in the name of the caller; returns the event's id. */
  publish(
    call: ServiceCall,
    event: { readonly topic: string; readonly payload: unknown; readonly correlationId?: string | undefined },
  ): Promise<string>;
  /** Idempotent by pattern. */
  subscribe(call: ServiceCall, pattern: string): void;
  /** Ends what `subscribe` began; does nothing where there is no such subscription. */
  unsubscribe(call: ServiceCall, pattern: string): void;
}

const correlationId = z.string().max(256).nullish();
const publishParams = z.object({ topic: z.string().max(256), payload: z.unknown().optional(), correlationId });
const patternParams = z.object({ pattern: z.string().max(256) });

/** The service `events`: the plugins' side of the topic bus. */
export function eventsService(backend: EventsBackend): Service {
  return defineService({
    name: 'events',
    methods: {
      publish: defineMethod({
        params: publishParams,
        capability: eventsPublish,
        scope: ({ topic }) => ({ topics: topic }),
        handle: async ({ topic, payload, correlationId: cause }, call) => ({
          id: await backend.publish(call, { topic, payload, correlationId: cause ?? undefined }),
        }),
      }),
      subscribe: defineMethod({
        params: patternParams,
        capability: eventsSubscribe,
        scope: ({ pattern }) => ({ topics: pattern }),
        handle: ({ pattern }, call) => backend.subscribe(call, pattern),
      }),
      unsubscribe: defineMethod({
        baseline: 'Giving up authority needs none.',
        params: patternParams,
        handle: ({ pattern }, call) => backend.unsubscribe(call, pattern),
      }),
    },
  });
}

import type { z } from 'zod';
import { agentsMessage } from '../capabilities/builtin-capabilities.js';
import { WorkerRuntimeError } from '../errors/worker-runtime-error.js';
import { type InboundMessage, inboundMessage } from '../plugin/kinds/messages.js';
import { defineMethod, defineService, type Service, type ServiceCall } from './define-service.js';

/** Takes a message that a channel received to where it belongs. Supplied by the embedder. */
export type RouteMessage = (message: InboundMessage, call: ServiceCall) => void | Promise<void>;

/** The service `agents`: channels hand over what they received. */
export function agentsService(routeMessage: RouteMessage | undefined): Service {
  return defineService({
    name: 'agents',
    methods: {
      message: defineMethod({
        params: inboundMessage as z.ZodType<InboundMessage>,
        capability: agentsMessage,
        scope: ({ channelId }) => ({ channels: channelId }),
        handle: async (message, call) => {
          if (routeMessage === undefined) {
            throw new WorkerRuntimeError('INVALID_STATE', 'This host has no route for messages; pass routeMessage when it is created.');
          }
          await routeMessage(message, call);
          return { accepted: true };
        },
      }),
    },
  });
}

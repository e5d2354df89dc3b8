import { z } from 'zod';
import { defineMethod, defineService, type Service, type ServiceCall } from './define-service.js';

/** A line that a plugin logs. */
export interface PluginLogEntry {
  /** How grave the plugin finds it. */
  readonly level: 'debug' | 'info' | 'warn' | 'error' | 'fatal';
  /** At most 8,192 characters. May hold control characters and secrets: whoever shows it takes them out. */
  readonly message: string;
  /** Facts beside the message; absent or null: none. */
  readonly fields?: Readonly<Record<string, unknown>> | null | undefined;
  /** When the plugin says it was written. */
  readonly time?: unknown;
}

/** How a plugin says it is. */
export interface PluginHealth {
  /** `degraded`: it works in part; `failing`: it does not. The host draws no conclusion from it. */
  readonly status: 'ok' | 'degraded' | 'failing';
  /** A sentence for a person, at most 1,024 characters. */
  readonly message?: string | undefined;
}

const logParams = z.object({
  level: z.enum(['debug', 'info', 'warn', 'error', 'fatal']),
  message: z.string().max(8_192),
  fields: z.record(z.string(), z.unknown()).nullish(),
  time: z.unknown().optional(),
});

/** The service `log`. */
export function logService(onLog: (entry: PluginLogEntry, call: ServiceCall) => void): Service {
  return defineService({
    name: 'log',
    methods: { write: defineMethod({ baseline: 'A plugin may always say what it does.', oneWay: true, params: logParams, handle: onLog }) },
  });
}

/** The service `config`. */
export function configService(configOf: (pluginId: string) => Readonly<Record<string, unknown>>): Service {
  return defineService({
    name: 'config',
    methods: {
      get: defineMethod({
        baseline: "A plugin's own configuration is meant for it.",
        handle: (_params: unknown, call) => ({ config: configOf(call.pluginId) }),
      }),
    },
  });
}

/** The service `health`. */
export function healthService(onHealth: (health: PluginHealth, call: ServiceCall) => void): Service {
  return defineService({
    name: 'health',
    methods: {
      report: defineMethod({
        baseline: 'A plugin may always say how it is.',
        params: z.object({ status: z.enum(['ok', 'degraded', 'failing']), message: z.string().max(1_024).nullish() }),
        handle: ({ status, message }, call) => onHealth({ status, message: message ?? undefined }, call),
      }),
    },
  });
}

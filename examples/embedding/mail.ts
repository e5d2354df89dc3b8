import { defineCapability, defineMethod, defineService, PluginError, type Service, type ServiceCall, scopes } from '@synapse/worker-runtime';
import { z } from 'zod';

export const mailSend = defineCapability({
  name: 'mail.send',
  risk: 'high',
  sentence: 'send mail to {domains}',
  scope: { domains: scopes.hostPatterns() },
});

/** What the service does its work with. */
export interface MailOptions {
  isSpam(text: string, call: ServiceCall): Promise<boolean>;
  deliver(to: string, text: string, signal: AbortSignal): Promise<void>;
}

/** Plugins call its method as `mail.send`. */
export function mailService({ isSpam, deliver }: MailOptions): Service {
  return defineService({
    name: 'mail',
    methods: {
      send: defineMethod({
        params: z.object({ to: z.email(), text: z.string().max(10_000) }),
        capability: mailSend,
        scope: ({ to }) => ({ domains: to.slice(to.lastIndexOf('@') + 1) }),
        async handle({ to, text }, call) {
          // The policy has allowed it. Mail goes to the domain that was judged (in normal form), not to the one that the plugin wrote.
          const [domain] = call.scope.domains ?? [];
          if (await isSpam(text, call)) throw new PluginError('spam', 'The filter takes it for spam.');
          await deliver(`${to.slice(0, to.lastIndexOf('@'))}@${domain}`, text, call.signal);
        },
      }),
    },
  });
}

import { fileURLToPath } from 'node:url';
import { builtinCapabilities, createCatalogue, type Host, type Logger } from '@synapse/worker-runtime';
import { createNodeHost } from '@synapse/worker-runtime/node';
import { approvalsFile } from './approvals-file.js';
import { mailSend, mailService } from './mail.js';
import { spamFilter } from './spam-filter/contract.mjs';

export function createMailHost(options: { readonly approvals: string; readonly logger: Logger }): Host {
  const host: Host = createNodeHost({
    policy: fileURLToPath(new URL('policy.yml', import.meta.url)),
    grantStore: approvalsFile(options.approvals),
    logger: options.logger,
    catalogue: createCatalogue([...builtinCapabilities, mailSend]),
    services: [
      mailService({
        // Nested in the call that the plugin made: it has no more time than that one, and is cancelled with it.
        isSpam: async (text, call) => (await host.plugin('spam-filter').as(spamFilter).check({ text }, { within: call })).spam,
        deliver: async (to, text) => console.log(`mail to ${to}:`, JSON.stringify(text)),
      }),
    ],
  });
  return host;
}

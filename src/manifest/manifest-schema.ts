import { z } from 'zod';
import { configSchemaSchema } from './config-file-schema.js';

const text = (description: string, max = 1_000, more: Record<string, unknown> = {}) =>
  z
    .string()
    .max(max)
    .meta({ description, ...more });
const list = <T extends z.ZodType>(item: T, description: string, max = 256) => z.array(item).max(max).meta({ description });
const count = (description: string, max: number, min = 1) => z.int().min(min).max(max).meta({ description });
const freeForm = (description: string) => z.unknown().meta({ description });

/** Of an id: `name`, which the Java core takes, or `author/name`. */
export const idPattern = /^[a-z0-9][a-z0-9-]{0,63}(?:\/[a-z0-9][a-z0-9-]{0,63})?$/;
/** Of a version: the host's own rule. */
export const versionPattern = /^\d+\.\d+\.\d+.*$/;

const request = z
  .looseObject({
    capability: text('Dotted name of the capability, as network.http.', 128),
    reason: text('Why the plugin needs it; shown to the operator.', 500).optional(),
    optional: z.boolean().meta({ description: 'The plugin also works without it. Default: false.' }).optional(),
  })
  .meta({
    description:
      'A capability request. The other fields are its scope, each a text or a list of texts; a field left out asks for everything in that dimension.',
  });
const requests = z.array(z.union([text('A capability with its whole scope.', 128), request])).max(64);

const dependency = z.strictObject({
  id: text('Id of the required plugin.', 129),
  version: text('Version constraint. Default: *', 64).optional(),
  type: text('hard or soft; the place of the entry decides.', 16).optional(),
  feature: text('What a soft dependency enables.', 500).optional(),
});

const method = z.strictObject({
  description: text('What it does.', 2_000).optional(),
  params: freeForm('JSON Schema of the params.').optional(),
  result: freeForm('JSON Schema of the result.').optional(),
  idempotent: z.boolean().meta({ description: 'Repeating it has no further effect.' }).optional(),
});
const stream = z.strictObject({
  ...method.shape,
  item: freeForm('JSON Schema of an item.').optional(),
  input: freeForm('JSON Schema of an item that the caller sends.').optional(),
});

const hookNames = [
  'on_install',
  'on_uninstall',
  'on_message',
  'on_send',
  'on_request',
  'on_response',
  'on_invoke',
  'on_start',
  'on_stop',
  'on_tool_call',
] as const;
const textMap = (description: string) => z.record(z.string().max(128), z.string().max(4_096)).meta({ description });
const args = list(z.string().max(4_096), 'Arguments after the entry point: they are the program’s own, never the interpreter’s.', 64);

const runtime = z.strictObject({
  type: text('python, nodejs, go, executable, mcp or external.', 32),
  entry: text('Path of the program, relative to the folder of the plugin. Only external needs none.', 512).optional(),
  entry_point: text('Another word for entry.', 512).optional(),
  entrypoint: text('Another word for entry.', 512).optional(),
  args: args.optional(),
  env: textMap('Environment of the worker; entries that load code are refused.').optional(),
  channel: z
    .enum(['fd', 'stdio'])
    .meta({ description: 'How the worker is reached: descriptor 3 (fd, the default) or standard input and output.' })
    .optional(),
  min_version: text('Least version of the interpreter, as "3.11".', 32).optional(),
});

const seconds = 3_600;
const permissionSection = z.record(z.string(), z.union([z.boolean(), z.string(), z.array(z.string()).max(256)]));

/** Fields of the host project that are kept as they stand and not looked into. */
export const hostFieldNames = [
  ...[
    'transport',
    'http',
    'mcp',
    'tool_policy',
    'skills',
    'includes',
    'plugins',
    'tools',
    'auth_modes',
    'supported_models',
    'local_service',
    'deprecated',
  ],
  ...[
    'logging',
    'store',
    'repository',
    'homepage',
    'documentation',
    'changelog',
    'icon',
    'language',
    'build_system',
    'synapse_version',
    'dependencies',
  ],
  ...['config_notes', 'event_hooks', 'keywords', 'maintainers', 'long_description', 'deprecated_message', 'replacement', 'analytics'],
] as const;

function hostFieldShape(): Record<(typeof hostFieldNames)[number], z.ZodOptional<z.ZodUnknown>> {
  return Object.fromEntries(hostFieldNames.map((name) => [name, freeForm('Kept as it stands.').optional()])) as ReturnType<typeof hostFieldShape>;
}

/** Structure of a manifest as it is written. What needs more than structure (names, paths, versions, scopes) is checked beside it. */
export const manifestSchema = z
  .strictObject({
    id: text('name, or author/name (which the Java core refuses). Lower-case letters, digits and hyphens.', 1_000, { pattern: idPattern.source }),
    name: text('Name for people.', 128, { minLength: 1 }),
    author: text('Who wrote it. Says nothing about trust.', 256, { minLength: 1 }),
    type: text('Kind of plugin, in any case: channel, model (model-provider), skill, mcp; skill-bundle, bundle, theme, external.', 64),
    version: text('Three numbers, then anything: 1.0.0, 1.2.3-beta.', 128, { pattern: versionPattern.source }),
    description: text('What it does.', 500).optional(),
    license: text('SPDX name.', 200).optional(),
    tags: list(text('A tag.', 64), 'For the store.').optional(),
    min_synapse: text('Least version of Synapse; not checked.', 64).optional(),
    source: text('Where the author says it comes from. Never decides about trust.', 64).optional(),
    requires: z
      .strictObject({
        plugins: list(dependency, 'Plugins that must be there.').optional(),
        soft_requires: list(dependency, 'Plugins that enable more.').optional(),
        capabilities: requests.meta({ description: 'What the plugin asks to be allowed.' }).optional(),
        synapse_version: text('Version constraint on the host.', 64).optional(),
        api_version: text('Version constraint on the plugin API.', 64).optional(),
        java: text('Constraint of Java plugins; not checked here.', 64).optional(),
        mcp_protocol: freeForm('Kept.').optional(),
        skill_format: freeForm('Kept.').optional(),
        local_service: freeForm('Kept.').optional(),
      })
      .meta({ description: 'What the plugin needs.' })
      .optional(),
    soft_requires: list(dependency, 'Another place for requires.soft_requires.').optional(),
    slots: z
      .strictObject({
        channel_id: text('Unique id of the channel.', 128).optional(),
        provider_id: text('Unique id of the model provider.', 128).optional(),
      })
      .meta({ description: 'Ids that are unique among the loaded plugins.' })
      .optional(),
    channel_id: text('Another place for slots.channel_id.', 128).optional(),
    provider_id: text('Another place for slots.provider_id.', 128).optional(),
    config_schema: configSchemaSchema.optional(),
    capabilities: z
      .union([requests, z.record(z.string(), z.boolean())])
      .meta({ description: 'A map names features of a model and grants nothing; a list is short for requires.capabilities.' })
      .optional(),
    permissions: z
      .union([z.array(z.string().max(512)).max(256), z.record(z.string(), z.union([z.boolean(), permissionSection]))])
      .meta({ description: 'Legacy; translated into capability requests, see docs/manifest.md.' })
      .optional(),
    hooks: z
      .strictObject(Object.fromEntries(hookNames.map((name) => [name, text('Name of a method.', 128).optional()])))
      .meta({ description: 'Names of methods.' })
      .optional(),
    runtime: z
      .union([text('Legacy: the runtime type alone, as python3.11, with entrypoint beside it.', 32), runtime])
      .meta({ description: 'How the worker is started.' })
      .optional(),
    runtime_type: text('Another word for a runtime that is given as text.', 32).optional(),
    entry_point: freeForm('Legacy place of runtime.entry; a class name in Java plugins.').optional(),
    entrypoint: freeForm('Legacy place of runtime.entry.').optional(),
    args: args.optional(),
    env: textMap('Legacy place of runtime.env.').optional(),
    provides: z
      .strictObject({
        methods: z.record(z.string(), method).meta({ description: 'Methods by name.' }).optional(),
        streams: z.record(z.string(), stream).meta({ description: 'Streams by name.' }).optional(),
        events: z.record(z.string(), z.unknown()).meta({ description: 'JSON Schemas of payloads by topic.' }).optional(),
      })
      .meta({ description: 'What the plugin offers; generated from its contract.' })
      .optional(),
    limits: z
      .strictObject({
        max_concurrency: count('Calls at once.', 1_000).optional(),
        start_timeout_ms: count('Time to become ready.', seconds * 1_000).optional(),
        hook_timeout_ms: count('Time of an install, load or unload hook.', seconds * 1_000).optional(),
        handler_timeout_ms: count('Time of one call.', seconds * 1_000).optional(),
        max_log_lines_per_minute: count('Log lines a minute.', 100_000).optional(),
        memory_mb: count('Memory in MiB.', 1_048_576).optional(),
        cpu_percent: count('Processor time; 100 is one core.', 100_000).optional(),
        timeout_seconds: count('Another unit for handler_timeout_ms.', seconds).optional(),
      })
      .meta({ description: 'What the plugin asks for; the host may give less.' })
      .optional(),
    min_isolation: z
      .enum(['none', 'process', 'sandbox', 'external'])
      .meta({ description: 'The plugin refuses to run with less isolation.' })
      .optional(),
    resources: z
      .strictObject({
        max_threads: count('Calls at once.', 1_000).optional(),
        lifecycle_timeout_seconds: count('Time of a hook.', seconds).optional(),
        message_handler_timeout_seconds: count('Time of one call.', seconds).optional(),
        memory_mb: count('Memory in MiB.', 1_048_576).optional(),
        cpu_cores: z.number().positive().max(1_000).meta({ description: 'Processor cores.' }).optional(),
        storage_mb: count('Storage in MiB.', 1_048_576).optional(),
      })
      .meta({ description: 'The host project’s words for limits.' })
      .optional(),
    ...hostFieldShape(),
  })
  .meta({ title: 'Synapse plugin manifest', description: 'manifest.yml of a Synapse plugin, as the worker runtime reads it.' });

/** A manifest as it is written, once its structure has passed. */
export type ManifestFile = z.infer<typeof manifestSchema>;

/** The JSON Schema of a manifest, for editors. Unknown fields are allowed there, as they are only warnings here. */
export function manifestJsonSchema(): Record<string, unknown> {
  const schema = z.toJSONSchema(manifestSchema, {
    io: 'input',
    override: ({ jsonSchema }) => {
      if (jsonSchema.additionalProperties === false) delete jsonSchema.additionalProperties;
    },
  });
  return { ...schema };
}

import { maxInteger, maxManifestBytes } from './field-limits.js';
import type { HelloFields, MessageKind, RejectMessage, WelcomeFields, WireGrant } from './message.js';
import {
  type DecodedMap,
  member,
  readInteger,
  readList,
  readMap,
  readOptionalBoolean,
  readOptionalMap,
  readOptionalString,
  readString,
  refuseField,
} from './read-field.js';

// The fields of the handshake's messages (docs/protocol.md, section 4). Unknown members are dropped; every reader throws
// PROTOCOL_ERROR for a member that is missing or of the wrong type.

const digestPattern = /^[0-9a-f]{64}$/;

/** The fields of a hello. Absent lists of features are empty. */
export function readHello(value: unknown): HelloFields {
  const kind = 'hello';
  const fields = readMap(kind, 'fields', value);
  const role = member(fields, 'role');
  if (role !== 'worker' && role !== 'controller') return refuseField(kind, 'role', 'worker or controller');
  const manifestDigest = readOptionalString(kind, 'manifestDigest', member(fields, 'manifestDigest'));
  if (manifestDigest !== undefined && !digestPattern.test(manifestDigest)) return refuseField(kind, 'manifestDigest', '64 lower-case hex digits');
  if (!Array.isArray(member(fields, 'versions'))) return refuseField(kind, 'versions', 'an array');
  const sdk = readMap(kind, 'sdk', member(fields, 'sdk'));
  const plugin = readOptionalMap(kind, 'plugin', member(fields, 'plugin'));
  const resume = readOptionalMap(kind, 'resume', member(fields, 'resume'));
  return {
    versions: readList(kind, 'versions', member(fields, 'versions'), readInteger),
    role,
    plugin: plugin === undefined ? undefined : readPlugin(kind, plugin),
    manifestDigest,
    manifest: readOptionalString(kind, 'manifest', member(fields, 'manifest'), 1, maxManifestBytes),
    sdk: {
      name: readString(kind, 'sdk.name', member(sdk, 'name')),
      version: readString(kind, 'sdk.version', member(sdk, 'version')),
      language: readString(kind, 'sdk.language', member(sdk, 'language')),
    },
    features: readList(kind, 'features', member(fields, 'features'), readString),
    requiredFeatures: readList(kind, 'requiredFeatures', member(fields, 'requiredFeatures'), readString),
    token: readOptionalString(kind, 'token', member(fields, 'token')),
    resume:
      resume === undefined
        ? undefined
        : {
            session: readString(kind, 'resume.session', member(resume, 'session')),
            token: readString(kind, 'resume.token', member(resume, 'token')),
            received: readInteger(kind, 'resume.received', member(resume, 'received')),
          },
  };
}

/** The fields of a welcome. Absent lists and maps are empty, `debug` is false. */
export function readWelcome(value: unknown): WelcomeFields {
  const kind = 'welcome';
  const fields = readMap(kind, 'fields', value);
  const limits = readMap(kind, 'limits', member(fields, 'limits'));
  const resume = readOptionalMap(kind, 'resume', member(fields, 'resume'));
  const resumed = readOptionalMap(kind, 'resumed', member(fields, 'resumed'));
  return {
    version: readPositive(kind, 'version', fields),
    session: readString(kind, 'session', member(fields, 'session')),
    generation: readPositive(kind, 'generation', fields),
    plugin: readPlugin(kind, readMap(kind, 'plugin', member(fields, 'plugin'))),
    features: readList(kind, 'features', member(fields, 'features'), readString),
    grants: readList(kind, 'grants', member(fields, 'grants'), readGrant),
    config: readOptionalMap(kind, 'config', member(fields, 'config')) ?? {},
    secretConfigKeys: readList(kind, 'secretConfigKeys', member(fields, 'secretConfigKeys'), readString),
    limits: {
      maxFrameBytes: readPositive(kind, 'maxFrameBytes', limits),
      maxDepth: readPositive(kind, 'maxDepth', limits),
      maxElements: readPositive(kind, 'maxElements', limits),
      maxConcurrency: readPositive(kind, 'maxConcurrency', limits),
    },
    heartbeatMs: readPositive(kind, 'heartbeatMs', fields),
    debug: readOptionalBoolean(kind, 'debug', member(fields, 'debug')) ?? false,
    resume:
      resume === undefined
        ? undefined
        : {
            token: readString(kind, 'resume.token', member(resume, 'token')),
            windowMs: readInteger(kind, 'resume.windowMs', member(resume, 'windowMs')),
            maxBytes: readInteger(kind, 'resume.maxBytes', member(resume, 'maxBytes')),
          },
    resumed: resumed === undefined ? undefined : { received: readInteger(kind, 'resumed.received', member(resumed, 'received')) },
  };
}

/** What a reject says is supported. */
export function readSupported(value: unknown): RejectMessage['supported'] {
  const supported = readOptionalMap('reject', 'supported', value);
  if (supported === undefined) return undefined;
  return {
    versions: readList('reject', 'supported.versions', member(supported, 'versions'), readInteger),
    features: readList('reject', 'supported.features', member(supported, 'features'), readString),
  };
}

function readPlugin(kind: MessageKind, plugin: DecodedMap): { id: string; version: string } {
  return { id: readString(kind, 'plugin.id', member(plugin, 'id')), version: readString(kind, 'plugin.version', member(plugin, 'version')) };
}

function readGrant(kind: MessageKind, field: string, value: unknown): WireGrant {
  const grant = readMap(kind, field, value);
  return {
    capability: readString(kind, `${field}.capability`, member(grant, 'capability')),
    scope: readMap(kind, `${field}.scope`, member(grant, 'scope')),
    expiresAt: readOptionalString(kind, `${field}.expiresAt`, member(grant, 'expiresAt')),
  };
}

function readPositive(kind: MessageKind, name: string, map: DecodedMap): number {
  return readInteger(kind, name, member(map, name), 1, maxInteger);
}

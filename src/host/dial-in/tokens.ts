import { WorkerRuntimeError } from '../../errors/worker-runtime-error.js';
import type { Platform } from '../../interfaces/platform.js';
import type { Audit } from '../audit.js';
import type { InstallOptions } from '../host-options.js';
import { MinuteBudget } from './minute-budget.js';
import { Refusal, unauthenticated } from './refusal.js';
import { createSecret, digestOf } from './secret.js';

/** What every token has. */
export interface TokenOptions {
  /** How many registrations it is good for. Default 1. A worker that connects again after a lost connection uses none. */
  readonly uses?: number;
  /** How long it is good for, milliseconds. Default 600,000, ten minutes; at most a year. */
  readonly expiresInMs?: number;
  /** The operator, for the record. Default `host`. */
  readonly by?: string;
}

/** A token for workers of one plugin. */
export interface WorkerTokenOptions extends TokenOptions {
  /** The default. */
  readonly role?: 'worker';
  /** Id of the plugin. It need not be installed yet; without `install` the host logs a warning then. */
  readonly plugin: string;
  /** Lets a worker bring the manifest, if the plugin is not installed by then: how it is installed. */
  readonly install?: Pick<InstallOptions, 'trust' | 'config' | 'limits'>;
}

/** A token for a controller: a program that drives the host from elsewhere. */
export interface ControllerTokenOptions extends TokenOptions {
  /** Says that it is for a controller. */
  readonly role: 'controller';
  /** Ids of the plugins that it may list and call. */
  readonly plugins: readonly string[];
  /** What it is called in records. Calls with an idempotency key are told apart by it. Default: the id of the token. */
  readonly name?: string;
}

/** What a token is issued for. */
export type IssueTokenOptions = WorkerTokenOptions | ControllerTokenOptions;

/** A token that was issued. The secret is told once: the host keeps its SHA-256 only. */
export interface IssuedToken {
  /** The secret, for `SYNAPSE_WORKER_TOKEN_FILE` or the like. */
  readonly token: string;
  /** Names the token in records, and for `host.revokeToken`. */
  readonly id: string;
  /** ISO 8601 time. */
  readonly expiresAt: string;
}

/** A token as the operator sees it. */
export interface TokenInspection {
  /** As it was issued. */
  readonly id: string;
  /** What it is for. */
  readonly role: 'worker' | 'controller';
  /** The plugin that it registers, or those that its controller may reach. */
  readonly plugins: readonly string[];
  /** How many registrations it is still good for. */
  readonly usesLeft: number;
  /** ISO 8601 time. */
  readonly expiresAt: string;
}

/** A token as the host keeps it. */
export interface TokenRecord {
  readonly id: string;
  readonly digest: string;
  readonly options: IssueTokenOptions;
  /** Wall-clock milliseconds. */
  readonly expiresAt: number;
  usesLeft: number;
  /** How often it may be tried, since a use that is not made costs nothing. */
  readonly tries: MinuteBudget;
  /** Uses that are about to be made. */
  claimed: number;
  revoked: boolean;
}

/** A use of a token that is about to be made. */
export interface Claim {
  /** The use is made. @throws Refusal if the token was revoked meanwhile. */
  keep(): void;
  /** It is not, unless it was kept. */
  release(): void;
}

const defaultLifeMs = 600_000;
const maxLifeMs = 366 * 24 * 3_600_000;
/** Tokens that are good for nothing any more are kept to tell them apart in the audit, up to so many. */
const maxDeadTokens = 1_000;
/** An operator who issues more has a loop in his program. */
const maxTokens = 100_000;
const maxNameLength = 128;

/** The registration tokens of a host. They are opaque; everything that they say is in this table. */
export class Tokens {
  readonly #platform: Platform;
  readonly #createId: () => string;
  readonly #audit: Audit;
  readonly #maxConnectsPerMinute: number;
  readonly #onIssued: (options: IssueTokenOptions) => void;
  /** By digest, so that finding one takes a time that says nothing about the secret. */
  readonly #byDigest = new Map<string, TokenRecord>();

  constructor(
    platform: Platform,
    createId: () => string,
    audit: Audit,
    maxConnectsPerMinute: number,
    onIssued: (options: IssueTokenOptions) => void,
  ) {
    this.#platform = platform;
    this.#maxConnectsPerMinute = maxConnectsPerMinute;
    this.#onIssued = onIssued;
    this.#createId = createId;
    this.#audit = audit;
  }

  /** @throws INVALID_ARGUMENT */
  issue(options: IssueTokenOptions): IssuedToken {
    const { uses = 1, expiresInMs = defaultLifeMs } = options;
    assertWhole('uses', uses, Number.MAX_SAFE_INTEGER);
    assertWhole('expiresInMs', expiresInMs, maxLifeMs);
    for (const id of pluginsOf(options)) assertName('The id of a plugin', id);
    if (options.role === 'controller' && options.name !== undefined) assertName('The name of a controller', options.name);
    if (options.by !== undefined) assertName('by', options.by);
    this.#prune();
    if (this.#byDigest.size >= maxTokens) throw new WorkerRuntimeError('INVALID_STATE', `${maxTokens} tokens are open; revoke some.`);
    const token = createSecret('swt_', this.#platform.random);
    const expiresAt = this.#platform.clock.wallTime() + expiresInMs;
    const record: TokenRecord = {
      id: this.#createId(),
      digest: digestOf(token, this.#platform.crypto),
      options: structuredOptions(options),
      expiresAt,
      usesLeft: uses,
      tries: new MinuteBudget(this.#platform.clock, this.#maxConnectsPerMinute),
      claimed: 0,
      revoked: false,
    };
    this.#byDigest.set(record.digest, record);
    this.#record('issued', record);
    this.#onIssued(record.options);
    return { token, id: record.id, expiresAt: new Date(expiresAt).toISOString() };
  }

  /** The tokens that are still good for something, oldest first. */
  list(): readonly TokenInspection[] {
    return [...this.#byDigest.values()]
      .filter((record) => this.#flawOf(record) === undefined)
      .map(({ id, options, usesLeft, expiresAt }) => ({
        id,
        role: options.role ?? 'worker',
        plugins: pluginsOf(options),
        usesLeft,
        expiresAt: new Date(expiresAt).toISOString(),
      }));
  }

  /** @throws INVALID_ARGUMENT if no token has this id. */
  revoke(id: string, by: string): void {
    const record = [...this.#byDigest.values()].find((candidate) => candidate.id === id);
    if (record === undefined) throw new WorkerRuntimeError('INVALID_ARGUMENT', `No token has the id "${id}"; host.tokens lists them.`);
    if (record.revoked) return;
    record.revoked = true;
    this.#record('revoked', record, by);
  }

  /** The token of this secret, if it is good for a registration. @throws Refusal, the same one for whatever is wrong. */
  find<Role extends 'worker' | 'controller'>(secret: string | undefined, role: Role): TokenRecord & { readonly options: OptionsOf<Role> } {
    if (secret === undefined) throw unauthenticated('It brought no token.');
    const record = this.#byDigest.get(digestOf(secret, this.#platform.crypto));
    if (record === undefined) throw unauthenticated('Its token was never issued, or long ago.');
    const flaw = (record.options.role ?? 'worker') === role ? this.#flawOf(record) : `is not one for a ${role}`;
    if (flaw !== undefined) throw unauthenticated(`Its token ${flaw}.`, { tokenId: record.id });
    return record as TokenRecord & { readonly options: OptionsOf<Role> };
  }

  /** Reserves a use, so that two peers cannot make the same one. @throws OVERLOADED while others are about to make all that are left, or too often. */
  claim(record: TokenRecord): Claim {
    if (!record.tries.take()) {
      const why = 'Its token is used too often (dialIn.maxConnectsPerMinute).';
      throw new Refusal('OVERLOADED', 'The token is used too often; try again later.', why, { tokenId: record.id });
    }
    if (record.claimed >= record.usesLeft)
      throw new Refusal('OVERLOADED', 'The token is being used by another connection.', 'Its token is being used by another connection.', {
        tokenId: record.id,
      });
    record.claimed += 1;
    let open = true;
    const settle = (used: 0 | 1): void => {
      if (!open) return;
      open = false;
      record.claimed -= 1;
      record.usesLeft -= used;
    };
    return {
      keep() {
        if (record.revoked) throw unauthenticated('Its token was revoked while it was let in.', { tokenId: record.id });
        settle(1);
      },
      release: () => settle(0),
    };
  }

  #flawOf({ revoked, usesLeft, expiresAt }: TokenRecord): string | undefined {
    if (revoked) return 'was revoked';
    if (usesLeft === 0) return 'is spent';
    if (this.#platform.clock.wallTime() >= expiresAt) return 'has expired';
    return undefined;
  }

  #prune(): void {
    const dead = [...this.#byDigest.values()].filter((record) => this.#flawOf(record) !== undefined);
    for (const { digest } of dead.slice(0, Math.max(0, dead.length - maxDeadTokens))) this.#byDigest.delete(digest);
  }

  #record(action: 'issued' | 'revoked', { id, options, usesLeft, expiresAt }: TokenRecord, by = options.by ?? 'host'): void {
    this.#audit.record({
      kind: 'token',
      action,
      tokenId: id,
      role: options.role ?? 'worker',
      plugins: pluginsOf(options),
      uses: usesLeft,
      expiresAt: new Date(expiresAt).toISOString(),
      by,
    });
  }
}

type OptionsOf<Role> = Role extends 'controller' ? ControllerTokenOptions : WorkerTokenOptions;

function pluginsOf(options: IssueTokenOptions): readonly string[] {
  return options.role === 'controller' ? options.plugins : [options.plugin];
}

/** What was issued does not change when the caller's object does. */
function structuredOptions(options: IssueTokenOptions): IssueTokenOptions {
  return options.role === 'controller' ? { ...options, plugins: [...options.plugins] } : { ...options };
}

function assertWhole(name: string, value: number, max: number): void {
  if (!Number.isSafeInteger(value) || value < 1 || value > max)
    throw new WorkerRuntimeError('INVALID_ARGUMENT', `issueToken: ${name} must be a whole number from 1 to ${max}.`);
}

function assertName(what: string, value: unknown): void {
  if (typeof value !== 'string' || value.trim() === '' || value.length > maxNameLength)
    throw new WorkerRuntimeError('INVALID_ARGUMENT', `issueToken: ${what} must be a text of 1 to ${maxNameLength} characters.`);
}

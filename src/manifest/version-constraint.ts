import { WorkerRuntimeError } from '../errors/worker-runtime-error.js';
import { quote } from './quote.js';

/** How a constraint compares; `any` is `*`, `=` is a constraint without operator. */
export type VersionOperator = 'any' | '=' | '>=' | '>' | '<=' | '<' | '^' | '~';

/** A constraint that was read. */
export interface VersionConstraint {
  /** How a version is compared with the numbers. */
  readonly operator: VersionOperator;
  /** 0 where the operator is `any`, as are the other two. */
  readonly major: number;
  /** The second number. */
  readonly minor: number;
  /** The third number. */
  readonly patch: number;
  /** What follows the hyphen; undefined for a release. */
  readonly prerelease: string | undefined;
  /** As it was written. */
  readonly text: string;
}

type Version = Pick<VersionConstraint, 'major' | 'minor' | 'patch' | 'prerelease'>;

const constraintPattern = /^(>=|<=|>|<|\^|~)?(\d{1,10})\.(\d{1,10})\.(\d{1,10})(?:-([0-9A-Za-z.-]+))?$/;
// As the host reads it: missing numbers are 0, a fourth one is ignored. Build metadata takes no part in comparisons.
const versionPattern = /^(\d{1,10})(?:\.(\d{1,10}))?(?:\.(\d{1,10}))?(?:\.[\d.]+)?(?:-([^+]+))?(?:\+.*)?$/;
const maxNumber = 2_147_483_647;
const maxLength = 128;

/**
 * Reads a version constraint in the grammar of the host: `*`, or one of `>= > <= < ^ ~` (or nothing, for "exactly") right
 * before `X.Y.Z` or `X.Y.Z-pre`. No spaces, no ranges, no `||`, no `x`; numbers up to 2^31 − 1.
 *
 * @throws INVALID_ARGUMENT with the repair when the text does not fit.
 */
export function parseVersionConstraint(text: string): VersionConstraint {
  const constraint = readVersionConstraint(text);
  if (constraint !== undefined) return constraint;
  throw new WorkerRuntimeError('INVALID_ARGUMENT', `${quote(text)} is no version constraint; ${constraintRepair}`, {
    details: { constraint: text.slice(0, maxLength) },
  });
}

/** What to write instead, for messages. */
export const constraintRepair = 'write * or one operator of >=, >, <=, <, ^, ~ (or none, for exactly) and three numbers, as >=1.2.0, without spaces.';

/** As `parseVersionConstraint`, but undefined when the text does not fit. */
export function readVersionConstraint(text: string): VersionConstraint | undefined {
  if (text === '*') return { operator: 'any', major: 0, minor: 0, patch: 0, prerelease: undefined, text };
  const match = text.length <= maxLength ? constraintPattern.exec(text) : null;
  const version = match === null ? undefined : versionOf(match[2], match[3], match[4], match[5]);
  return version === undefined ? undefined : { ...version, operator: (match?.[1] ?? '=') as VersionOperator, text };
}

/**
 * Whether a version fits a constraint, with the semantics of the host, which are not npm's: `^` means the same major
 * number, also below 1 (`^0.2.0` takes 0.9.0); `~` means the same major and minor number; a pre-release counts as a
 * version just below its release and fits any operator that its place in that order fits; pre-releases are compared as
 * plain text (`beta.10` is below `beta.2`). Missing numbers of the version are 0; `+build` takes no part. A version that
 * cannot be read fits only `*`.
 *
 * @throws INVALID_ARGUMENT when `constraint` is a text that is no constraint.
 */
export function satisfiesVersion(version: string, constraint: string | VersionConstraint): boolean {
  const wanted = typeof constraint === 'string' ? parseVersionConstraint(constraint) : constraint;
  if (wanted.operator === 'any') return true;
  const match = version.length <= maxLength ? versionPattern.exec(version) : null;
  const given = match === null ? undefined : versionOf(match[1], match[2] ?? '0', match[3] ?? '0', match[4]);
  if (given === undefined) return false;
  const order = compare(given, wanted);
  switch (wanted.operator) {
    case '=':
      return order === 0;
    case '>=':
      return order >= 0;
    case '>':
      return order > 0;
    case '<=':
      return order <= 0;
    case '<':
      return order < 0;
    case '^':
      return given.major === wanted.major && order >= 0;
    case '~':
      return given.major === wanted.major && given.minor === wanted.minor && order >= 0;
  }
}

function versionOf(major = '0', minor = '0', patch = '0', prerelease?: string): Version | undefined {
  const numbers = [Number(major), Number(minor), Number(patch)] as const;
  if (numbers.some((number) => number > maxNumber)) return undefined;
  return { major: numbers[0], minor: numbers[1], patch: numbers[2], prerelease };
}

function compare(left: Version, right: Version): number {
  const numbers = left.major - right.major || left.minor - right.minor || left.patch - right.patch;
  if (numbers !== 0 || left.prerelease === right.prerelease) return numbers;
  if (left.prerelease === undefined) return 1;
  if (right.prerelease === undefined) return -1;
  return left.prerelease < right.prerelease ? -1 : 1;
}

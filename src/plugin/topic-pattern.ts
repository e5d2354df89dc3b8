import { WorkerRuntimeError } from '../errors/worker-runtime-error.js';

/**
 * Makes sure that `pattern` is one of docs/protocol.md, section 11: non-empty segments parted by dots, `*` for exactly one segment, `**` as the last
 * one for one or more.
 * @throws INVALID_ARGUMENT.
 */
export function assertTopicPattern(pattern: string): void {
  const segments = typeof pattern === 'string' ? pattern.split('.') : [];
  const wrong = segments.find((segment, index) => {
    if (segment === '**') return index !== segments.length - 1;
    return segment === '' || (segment !== '*' && segment.includes('*'));
  });
  if (segments.length > 0 && wrong === undefined && pattern.length <= 256) return;
  throw new WorkerRuntimeError(
    'INVALID_ARGUMENT',
    `"${String(pattern).slice(0, 100)}" is not a topic pattern: write segments parted by dots, "*" for exactly one segment, "**" at the end for one or more, as "mail.*"; at most 256 characters.`,
  );
}

/** A function that says whether a topic matches the pattern. */
export function topicMatcher(pattern: string): (topic: string) => boolean {
  if (!pattern.includes('*')) return (topic) => topic === pattern;
  const segments = pattern.split('.');
  const rest = segments.at(-1) === '**';
  const fixed = rest ? segments.slice(0, -1) : segments;
  return (topic) => {
    const parts = topic.split('.');
    if (rest ? parts.length <= fixed.length : parts.length !== fixed.length) return false;
    return parts.every((part, index) => part !== '' && (index >= fixed.length || fixed[index] === '*' || fixed[index] === part));
  };
}

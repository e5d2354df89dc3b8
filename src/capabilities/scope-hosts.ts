import { createAffixIndex } from './affix-index.js';
import type { ScopeKind } from './capability.js';
import { isIpv4, normalizeIpv6 } from './host-address.js';

const everything = '*';
const maxLength = 253;
const label = '[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?';
const hostName = new RegExp(`^${label}(?:\\.${label})*$`);
/** The last label is a number, decimal or hexadecimal: then a URL parser takes the whole for an IPv4 address. */
const endsInNumber = /(?:^|\.)(?:\d+|0x[0-9a-f]*)$/;

/**
 * Host names and addresses: `api.example.com` is that host alone, `*.example.com` every host below it (at any depth, but
 * not `example.com` itself), `*` every host. A `*` stands nowhere else.
 *
 * Names are ASCII and compared in lower case, without the dot that may end them; international names are written in
 * their `xn--` form, so that no look-alike passes for another. IPv4 addresses are four decimal numbers (no `127.1`,
 * `0x7f000001` or `017700000001`); IPv6 addresses are written with or without brackets and brought into one spelling,
 * IPv4-mapped ones into the IPv4 address that they reach. An address is covered by itself and by `*` only. Ports,
 * user names, paths and schemes are not part of a host and are refused.
 */
export function hostPatterns(): ScopeKind {
  return kind;
}

const kind: ScopeKind = Object.freeze<ScopeKind>({
  name: 'hostPatterns',
  everything,
  schema: Object.freeze({
    type: 'string',
    minLength: 1,
    maxLength: maxLength + 1,
    description: 'A host name or address, `*.` and a name for all hosts below it, or `*` for any.',
  }),
  parsePattern(raw) {
    if (raw === everything) return { pattern: everything };
    const below = raw.startsWith('*.');
    const parsed = parseHost(below ? raw.slice(2) : raw);
    if ('message' in parsed) return parsed;
    if (!below) return { pattern: parsed.value };
    return isAddress(parsed.value) ? { message: 'There is nothing below an address; name the address itself.' } : { pattern: `*.${parsed.value}` };
  },
  parseValue: parseHost,
  isValue,
  matches: (pattern, value) => isValue(value) && covers(pattern, value),
  covers,
  intersect(left, right) {
    if (covers(left, right)) return [right];
    return covers(right, left) ? [left] : [];
  },
  createIndex: () =>
    createAffixIndex({
      everything,
      affixOf: (pattern) => (pattern.startsWith('*.') ? pattern.slice(1) : undefined),
      // The affix is `.example.com`; at least one character of a label is before it.
      cut: (value, length) => (length < value.length && value[value.length - length] === '.' ? value.slice(-length) : undefined),
    }),
});

function covers(outer: string, inner: string): boolean {
  if (outer === everything || outer === inner) return true;
  // Of `*.a.example.com` the part after the `*` ends in that of `*.example.com`, so one test serves names and patterns.
  return outer.startsWith('*.') && inner.endsWith(outer.slice(1));
}

function isAddress(host: string): boolean {
  return host.includes(':') || isIpv4(host);
}

function isValue(value: string): boolean {
  if (value.length > maxLength) return false;
  if (value.includes(':')) return normalizeIpv6(value) === value;
  return hostName.test(value) && (!endsInNumber.test(value) || isIpv4(value));
}

function parseHost(raw: string): { value: string } | { message: string } {
  if (raw.length > maxLength + 1) return { message: `A host name has at most ${maxLength} characters.` };
  const inner = raw.startsWith('[') && raw.endsWith(']') ? raw.slice(1, -1) : raw;
  const address = inner.includes(':') ? normalizeIpv6(inner) : undefined;
  if (address !== undefined) return { value: address };
  const lower = raw.toLowerCase();
  const value = lower.endsWith('.') ? lower.slice(0, -1) : lower;
  // Lower-casing maps a few letters beyond ASCII into it (the Kelvin sign to `k`), so the text as given is judged too.
  if (/^[ -~]*$/.test(raw) && isValue(value)) return { value };
  return { message: explain(raw, value) };
}

function explain(raw: string, value: string): string {
  if (raw === '') return 'A host is not empty.';
  if (/[^ -~]/.test(raw)) return 'A host is written in ASCII; write an international name in its `xn--` form.';
  if (raw.includes('*')) return 'A `*` stands alone for any host, or as `*.` before a name for all hosts below it.';
  if (raw.includes('://')) return 'Write the host alone, without scheme and path.';
  if (raw.includes('@')) return 'Write the host alone, without a user name.';
  if (/^\[?[^:]*\]?:\d+$/.test(raw)) return 'Write the host without its port; ports have a field of their own.';
  if (/[/\\?#]/.test(raw)) return 'Write the host alone, without a path.';
  if (raw.includes('%')) return 'A host has no percent encoding and no zone id.';
  if (raw.includes(':')) return 'This is not an IPv6 address.';
  if (endsInNumber.test(value)) return 'Write an IPv4 address as four decimal numbers from 0 to 255, without leading zeros.';
  return 'A host name consists of labels of letters, digits and hyphens, parted by single dots.';
}

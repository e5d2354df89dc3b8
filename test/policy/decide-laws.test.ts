import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Attempt, coversScope, type Scope } from '../../src/capabilities/index.js';
import { attenuate, type Grant, type PolicyRule, plan } from '../../src/policy/index.js';
import { catalogue, door, grant, judge, request, scopeOf } from './fixtures.js';

// Every topic of up to four segments over an alphabet that has one letter more than the patterns use. That is enough to
// tell all the patterns below from each other, so that "covers all topics of it" can be read off by counting.
const letters = ['a', 'b', 'z'];
const universe = letters.flatMap((one) => [
  one,
  ...letters.flatMap((two) => [
    `${one}.${two}`,
    ...letters.flatMap((three) => [`${one}.${two}.${three}`, ...letters.map((four) => `${one}.${two}.${three}.${four}`)]),
  ]),
]);
const rooms = ['**', '*', 'a', 'b', 'a.*', 'a.b', '*.b', 'a.**', '*.**', 'a.b.*', 'a.b.**', 'b.a'];
const methods = ['*', 'GET', 'POST'];

function isTopicOf(pattern: string, topic: string): boolean {
  const wanted = pattern.split('.');
  const segments = topic.split('.');
  const open = wanted.at(-1) === '**';
  if (open ? segments.length < wanted.length : segments.length !== wanted.length) return false;
  return wanted.every((word, index) => word === '**' || word === '*' || word === segments[index]);
}

/** The policy document and the grants, read naively: every combination, every grant, every topic. */
function readNaively(attempt: Attempt, grants: readonly Grant[], rules: readonly PolicyRule[], nowMs: number): 'allow' | 'deny' | 'confirm' {
  const touched = (attempt.scope.rooms ?? []).flatMap((room) => (attempt.scope.methods ?? []).map((method) => ({ room, method })));
  const reaches = (scope: Scope | undefined, topic: string, method: string): boolean =>
    scope === undefined ||
    (listOf(scope, 'rooms').some((room) => isTopicOf(room, topic)) && listOf(scope, 'methods').some((one) => one === '*' || one === method));
  const isTouchedBy = (rule: PolicyRule): boolean =>
    touched.some(({ room, method }) => universe.some((topic) => isTopicOf(room, topic) && reaches(rule.scope, topic, method)));
  if (rules.some((rule) => rule.effect === 'deny' && isTouchedBy(rule))) return 'deny';
  const valid = grants.filter((one) => one.expiresAt === undefined || nowMs < Date.parse(one.expiresAt));
  for (const { room, method } of touched) {
    const topics = universe.filter((topic) => isTopicOf(room, topic));
    // One pattern of one grant has to cover it whole.
    const isCovered = valid.some(({ scope }) =>
      listOf(scope, 'rooms').some((pattern) =>
        topics.every((topic) => reaches({ rooms: [pattern], methods: listOf(scope, 'methods') }, topic, method)),
      ),
    );
    if (!isCovered) return 'deny';
  }
  return rules.some((rule) => rule.effect === 'confirm' && isTouchedBy(rule)) ? 'confirm' : 'allow';
}

function listOf(scope: Scope, field: string): readonly string[] {
  return scope[field] ?? [];
}

const rawScope = fc.record({
  rooms: fc.uniqueArray(fc.constantFrom(...rooms), { minLength: 1, maxLength: 3 }),
  methods: fc.uniqueArray(fc.constantFrom(...methods), { minLength: 1, maxLength: 2 }),
});
const scope = rawScope.map((raw) => scopeOf(door, raw));
const anyGrant = fc
  .record({ scope, expiresAt: fc.constantFrom(undefined, '1970-01-01T00:00:01.000Z', '1970-01-01T00:00:03.000Z') })
  .map(({ expiresAt, ...rest }): Grant => grant('test.door', {}, { ...rest, ...(expiresAt === undefined ? {} : { expiresAt }) }));
const grants = fc.array(anyGrant, { maxLength: 6 });
const anyRule = (effect: fc.Arbitrary<PolicyRule['effect']>): fc.Arbitrary<PolicyRule> =>
  fc
    .record({ effect, scope: fc.option(scope, { nil: undefined }) })
    .map(
      (rule): PolicyRule =>
        rule.scope === undefined
          ? { index: 0, effect: rule.effect, capability: '*' }
          : { index: 0, effect: rule.effect, capability: 'test.door', scope: rule.scope },
    );
const rules = fc.array(anyRule(fc.constantFrom('deny', 'confirm', 'allow')), { maxLength: 2 });
const attempt = fc
  .record({
    rooms: fc.uniqueArray(fc.constantFrom(...rooms, ...universe.slice(0, 40)), { minLength: 1, maxLength: 2 }),
    methods: fc.uniqueArray(fc.constantFrom('GET', 'POST', 'PUT'), { minLength: 1, maxLength: 2 }),
  })
  .map((values) => door.for(values));
const now = fc.constantFrom(0, 999, 1_000, 2_000, 3_000);
const runs = { numRuns: 300 };

describe('[policy.decide-laws] decide', () => {
  test('decides as a naive reading of grants and rules does', () => {
    const seen = { allow: 0, deny: 0, confirm: 0 };
    fc.assert(
      fc.property(attempt, grants, rules, now, (one, all, limits, at) => {
        const { effect } = judge(one, all, limits, at);
        expect(effect).toBe(readNaively(one, all, limits, at));
        seen[effect]++;
      }),
      { numRuns: 1_000 },
    );
    // The generators reach every outcome; otherwise the law would prove little.
    expect(Math.min(seen.allow, seen.deny, seen.confirm)).toBeGreaterThan(20);
  });

  test('one more grant never turns an allow into a denial', () => {
    fc.assert(
      fc.property(attempt, grants, anyGrant, rules, now, (one, all, more, limits, at) => {
        const before = judge(one, all, limits, at).effect;
        const after = judge(one, [...all, more], limits, at).effect;
        if (before !== 'deny') expect(after).toBe(before);
      }),
      runs,
    );
  });

  test('one more deny or confirm rule never allows more, one more allow rule changes nothing', () => {
    const rank = { deny: 0, confirm: 1, allow: 2 };
    fc.assert(
      fc.property(attempt, grants, rules, anyRule(fc.constantFrom('deny', 'confirm', 'allow')), now, (one, all, limits, more, at) => {
        const before = judge(one, all, limits, at).effect;
        const after = judge(one, all, [...limits, more], at).effect;
        expect(rank[after]).toBeLessThanOrEqual(rank[before]);
        if (more.effect === 'allow') expect(after).toBe(before);
      }),
      runs,
    );
  });

  test('the order of grants does not matter, not even to the explanation', () => {
    fc.assert(
      fc.property(attempt, grants, rules, now, fc.nat(), (one, all, limits, at, turn) => {
        const turned = [...all.slice(turn % (all.length + 1)), ...all.slice(0, turn % (all.length + 1))].reverse();
        expect(judge(one, turned, limits, at)).toEqual(judge(one, all, limits, at));
      }),
      runs,
    );
  });

  test('granting what was missing is enough', () => {
    fc.assert(
      fc.property(attempt, grants, (one, all) => {
        const decision = judge(one, all);
        if (decision.effect === 'allow') return;
        expect(Object.keys(decision.missing ?? {}).length).toBeGreaterThan(0);
        const remedy = grant('test.door', {}, { scope: scopeOf(door, { ...one.scope, ...decision.missing }) });
        expect(judge(one, [...all, remedy]).effect).toBe('allow');
      }),
      runs,
    );
  });
});

describe('attenuate', () => {
  test('leaves exactly what both sides cover', () => {
    fc.assert(
      fc.property(attempt, grants, grants, now, (one, all, limits, at) => {
        const allowed = (some: readonly Grant[]): boolean => judge(one, some, [], at).effect === 'allow';
        const narrowed = attenuate(all, limits, catalogue);
        if (allowed(narrowed)) expect(allowed(all) && allowed(limits)).toBe(true);
        // With one combination there is no mixture of grants, and the converse holds too.
        if (one.scope.rooms?.length === 1 && one.scope.methods?.length === 1) expect(allowed(narrowed)).toBe(allowed(all) && allowed(limits));
        for (const left of narrowed) expect(all.some((origin) => origin.id === left.id && coversScope(door, [origin.scope], left.scope))).toBe(true);
      }),
      runs,
    );
  });
});

describe('plan and decide agree', () => {
  test('what a rule grants is allowed in every combination, and nothing is granted that rules do not cover', () => {
    fc.assert(
      fc.property(rawScope, fc.array(anyRule(fc.constantFrom('allow', 'allow', 'deny')), { maxLength: 5 }), (raw, all) => {
        const wanted = request('test.door', raw);
        const [item] = plan([wanted], { policy: { rules: all }, catalogue, pluginId: 'summarizer', trust: 'community' }).items;
        const asGrants = all
          .filter((rule) => rule.effect === 'allow')
          .map((rule) => grant('test.door', {}, rule.scope === undefined ? {} : { scope: rule.scope }));
        const each = listOf(wanted.scope, 'rooms').flatMap((room) =>
          expand(listOf(wanted.scope, 'methods')).map((method) => door.for({ rooms: room, methods: method })),
        );
        const denied = each.map((one) => judge(one, asGrants, all).effect === 'deny');
        if (item?.outcome === 'granted') expect(denied).not.toContain(true);
        if (item?.outcome === 'denied') expect(denied).not.toContain(false);
      }),
      runs,
    );
  });
});

function expand(list: readonly string[]): readonly string[] {
  return list.includes('*') ? ['GET', 'POST', 'PUT'] : list;
}

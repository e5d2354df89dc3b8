import { describe, expect, test } from 'vitest';
import { createGrant, type Plan, type PlanItem, type PolicyDocument, plan } from '../../src/policy/index.js';
import { catalogue, grant, judge, policy, request, subject } from './fixtures.js';

type Rules = NonNullable<PolicyDocument['rules']>;

function planOf(requests: Parameters<typeof plan>[0], rules: Rules, more: Partial<Parameters<typeof plan>[1]> = {}): Plan {
  return plan(requests, { policy: policy(...rules), catalogue, pluginId: 'summarizer', trust: 'community', ...more });
}

function outcomeOf(one: Parameters<typeof plan>[0][number], rules: Rules, more: Partial<Parameters<typeof plan>[1]> = {}): PlanItem {
  const [item] = planOf([one], rules, more).items;
  if (item === undefined) throw new Error('The plan has no item.');
  return item;
}

const http = (hosts: readonly string[], more = {}) => request('network.http', { hosts, methods: ['GET'], schemes: ['https'], ports: ['443'] }, more);

describe('plan', () => {
  test('nothing is granted by default', () => {
    expect(planOf([request('storage.read')], [])).toMatchObject({
      status: 'needs-approval',
      items: [{ outcome: 'needs-approval', code: 'NOT_COVERED' }],
    });
    expect(planOf([], [])).toMatchObject({ status: 'ready', items: [] });
  });

  test('an allow rule grants what it covers, and is named with file and line', () => {
    const item = outcomeOf(http(['api.example.com']), [
      { effect: 'allow', capability: 'storage.read' },
      { effect: 'allow', capability: 'network.http', scope: { hosts: ['*.example.com'] }, reason: 'our own' },
    ]);
    expect(item).toMatchObject({
      outcome: 'granted',
      code: 'ALLOWED_BY_RULE',
      rule: { index: 1, effect: 'allow', file: 'policy.yml', line: 11, reason: 'our own' },
      sentence: 'send HTTP requests to api.example.com (methods: GET; schemes: https; ports: 443)',
      risk: 'medium',
      confirm: false,
    });
  });

  test('a request is granted as a whole or not at all', () => {
    const rules: Rules = [{ effect: 'allow', capability: 'network.http', scope: { hosts: ['a.org'] } }];
    expect(outcomeOf(http(['a.org', 'b.org']), rules)).toMatchObject({ outcome: 'needs-approval', code: 'NOT_COVERED' });
    expect(
      outcomeOf(http(['a.org', 'b.org']), [...rules, { effect: 'allow', capability: 'network.http', scope: { hosts: ['b.org'] } }]),
    ).toMatchObject({
      outcome: 'granted',
      rule: { index: 0 },
    });
  });

  test('rules do not lend each other fields', () => {
    const rules: Rules = [
      { effect: 'allow', capability: 'network.http', scope: { hosts: ['a.org'], methods: ['GET'] } },
      { effect: 'allow', capability: 'network.http', scope: { hosts: ['b.org'], methods: ['POST'] } },
    ];
    expect(outcomeOf(request('network.http', { hosts: ['a.org'], methods: ['POST'] }), rules).outcome).toBe('needs-approval');
    expect(outcomeOf(request('network.http', { hosts: ['a.org', 'b.org'], methods: ['GET', 'POST'] }), rules).outcome).toBe('needs-approval');
  });

  test('a request for everything is not covered by many rules for parts', () => {
    expect(outcomeOf(request('network.http'), [{ effect: 'allow', capability: 'network.http', scope: { hosts: ['*.com', '*.org'] } }]).outcome).toBe(
      'needs-approval',
    );
  });

  test('a deny rule that covers a request denies it, also against an approval', () => {
    const rules: Rules = [
      { effect: 'allow', capability: '*' },
      { effect: 'deny', capability: 'network.http', scope: { hosts: ['*.example.com'] } },
    ];
    const one = http(['api.example.com']);
    const approval = createGrant(one, subject, { id: 'g', by: 'ada', grantedAt: '2026-01-01T00:00:00Z' });
    expect(outcomeOf(one, rules, { grants: [approval] })).toMatchObject({
      outcome: 'denied',
      code: 'DENIED_BY_RULE',
      rule: { index: 1, effect: 'deny' },
    });
    expect(planOf([one], rules).status).toBe('denied');
    expect(planOf([{ ...one, optional: true }], rules).status).toBe('ready');
  });

  test('a deny rule that touches a part leaves the request to a person, and the part denied after the approval', () => {
    const rules: Rules = [
      { effect: 'allow', capability: '*' },
      { effect: 'deny', capability: 'filesystem.read', scope: { paths: ['/data/secret'] } },
    ];
    const one = request('filesystem.read', { paths: ['/data'] });
    expect(outcomeOf(one, rules)).toMatchObject({ outcome: 'needs-approval', code: 'PARTLY_DENIED', rule: { index: 1 } });
    expect(outcomeOf(request('filesystem.read', { paths: ['/other'] }), rules).outcome).toBe('granted');

    const approval = createGrant(one, subject, { id: 'g', by: 'ada', grantedAt: '2026-01-01T00:00:00Z' });
    expect(outcomeOf(one, rules, { grants: [approval] })).toMatchObject({ outcome: 'granted', code: 'APPROVED', grantIds: ['g'] });
    const read = (path: string) => judge({ capability: 'filesystem.read', scope: { paths: [path] } }, [approval], policy(...rules).rules).effect;
    expect([read('/data/a'), read('/data/secret'), read('/data/secret/b'), read('/data/secrets')]).toEqual(['allow', 'deny', 'deny', 'allow']);
  });

  test('a right that always needs approval is granted by no rule, only by a person', () => {
    const one = request('filesystem.write', {}, { alwaysNeedsApproval: true });
    expect(outcomeOf(one, [{ effect: 'allow', capability: '*' }])).toMatchObject({
      outcome: 'needs-approval',
      code: 'ALWAYS_NEEDS_APPROVAL',
      alwaysNeedsApproval: true,
    });
    expect(outcomeOf(one, [], { grants: [createGrant(one, subject, { id: 'g', by: 'ada', grantedAt: '2026-01-01T00:00:00Z' })] }).outcome).toBe(
      'granted',
    );
  });

  test('a confirm rule grants, and says that uses will be asked for', () => {
    expect(outcomeOf(http(['a.org']), [{ effect: 'confirm', capability: 'network.http' }])).toMatchObject({
      outcome: 'granted',
      confirm: true,
      rule: { effect: 'confirm' },
    });
    const partly: Rules = [
      { effect: 'allow', capability: '*' },
      { effect: 'confirm', capability: 'network.http', scope: { methods: ['GET'], hosts: ['a.org'] } },
    ];
    expect(outcomeOf(http(['a.org']), partly)).toMatchObject({ outcome: 'granted', confirm: true });
    expect(outcomeOf(http(['b.org']), partly)).toMatchObject({ outcome: 'granted', confirm: false });
  });

  test('approvals of others, and expired ones, count for nothing', () => {
    const one = http(['a.org']);
    const approval = (more: object) => ({ ...grant('network.http', { hosts: ['a.org'] }), ...more });
    expect(outcomeOf(one, [], { grants: [approval({})] }).outcome).toBe('granted');
    expect(outcomeOf(one, [], { grants: [approval({ pluginId: 'other' })] }).outcome).toBe('needs-approval');
    expect(outcomeOf(one, [], { grants: [approval({ expiresAt: '2026-01-01T00:00:00Z' })], nowMs: Date.parse('2026-01-01T00:00:00Z') }).outcome).toBe(
      'needs-approval',
    );
    expect(outcomeOf(one, [], { grants: [approval({ expiresAt: 'soon' })], nowMs: 0 }).outcome).toBe('needs-approval');
  });

  test('what the catalogue lacks is denied', () => {
    const unknown = { capability: 'constructor', scope: {}, optional: false };
    expect(outcomeOf(unknown, [{ effect: 'allow', capability: '*' }])).toMatchObject({ outcome: 'denied', code: 'UNKNOWN_CAPABILITY', risk: 'high' });
  });

  test('optional requests hold nothing up', () => {
    expect(planOf([http(['a.org'], { optional: true })], []).status).toBe('ready');
    expect(planOf([http(['a.org']), http(['b.org'], { optional: true })], []).status).toBe('needs-approval');
  });

  test('what guards nothing in this host is denied, whatever the policy says', () => {
    const rules: Rules = [{ effect: 'allow', capability: '*' }];
    const offered = new Set(['storage.read']);
    expect(outcomeOf(request('storage.read'), rules, { offered }).outcome).toBe('granted');
    expect(outcomeOf(request('process.spawn'), rules, { offered })).toMatchObject({
      outcome: 'denied',
      code: 'NOT_OFFERED',
      sentence: 'start programs on the host: any program',
    });
    expect(outcomeOf({ ...request('process.spawn'), capability: 'constructor' }, rules, { offered }).code).toBe('UNKNOWN_CAPABILITY');
  });

  test('a large request under a large policy is planned in bounded time', () => {
    const hosts = Array.from({ length: 250 }, (_, index) => `h${index}.org`);
    const rules = Array.from({ length: 5_000 }, (_, index): Rules[number] => ({
      effect: 'allow',
      capability: 'network.http',
      scope: { hosts: [`h${index}.org`] },
    }));
    expect(outcomeOf(http(hosts), rules).outcome).toBe('granted');
  }, 5_000);
});

// Decisions of the policy, in plain Node, against a Map of Maps of Sets. The policy's functions are not public: main.ts has the build's compiler make
// the module that is imported here, from the same source as the package.
import { takeOrders } from './orders.mjs';

const decisionsAtOnce = 1_024;
/** Found out while it runs, so that nothing of the loop can be left out by the compiler. */
let kept = 0;

/** Half of the grants name a value, half of them a prefix, as policies do. */
const keyOf = (index) => (index % 2 === 0 ? `item-${index}` : `area-${index}/*`);
const attemptOf = (index) => (index % 2 === 0 ? `item-${index}` : `area-${index}/report`);

const contenders = {
  async ours({ module, grants }) {
    const { compileGrants, createCatalogue, builtinCapabilities, decide } = await import(module);
    const subject = { pluginId: 'bench', manifestDigest: '0'.repeat(64) };
    const grant = (index) => ({
      ...subject,
      id: `grant-${index}`,
      capability: 'storage.read',
      scope: { keys: [keyOf(index)] },
      by: 'policy',
      grantedAt: '2026-01-01T00:00:00.000Z',
    });
    const compiled = compileGrants(
      Array.from({ length: grants }, (_, index) => grant(index)),
      {
        catalogue: createCatalogue(builtinCapabilities),
        subject,
      },
    );
    if (compiled.ignored.length > 0) throw new Error(`A grant was ignored: ${compiled.ignored[0].code}.`);
    const attempts = Array.from({ length: decisionsAtOnce }, (_, index) => ({
      capability: 'storage.read',
      scope: { keys: [attemptOf((index * 7_919) % grants)] },
    }));
    const now = Date.now();
    return () => {
      let allowed = 0;
      for (const attempt of attempts) if (decide(compiled, attempt, now).effect === 'allow') allowed += 1;
      return allowed;
    };
  },
  async raw({ grants }) {
    const values = new Set(Array.from({ length: grants }, (_, index) => keyOf(index)));
    const compiled = new Map([['storage.read', new Map([['keys', values]])]]);
    const attempts = Array.from({ length: decisionsAtOnce }, (_, index) => ({
      capability: 'storage.read',
      field: 'keys',
      value: attemptOf((index * 7_919) % grants),
    }));
    const covers = ({ capability, field, value }) => {
      const granted = compiled.get(capability)?.get(field);
      if (granted === undefined) return false;
      if (granted.has(value)) return true;
      const slash = value.indexOf('/');
      return slash > 0 && granted.has(`${value.slice(0, slash)}/*`);
    };
    return () => {
      let allowed = 0;
      for (const attempt of attempts) if (covers(attempt)) allowed += 1;
      return allowed;
    };
  },
};

const prepared = new Map();

takeOrders({
  async open({ peer, grants, module }) {
    const run = await contenders[peer]({ grants, module });
    if (run() !== decisionsAtOnce) throw new Error('An attempt was denied that a grant covers.');
    prepared.set(`${peer} ${grants}`, run);
  },
  /** Microseconds for each decision. */
  measure({ peer, grants, durationMs }) {
    const run = prepared.get(`${peer} ${grants}`);
    const begin = performance.now();
    let rounds = 0;
    let end = begin;
    while (end < begin + durationMs) {
      kept += run();
      rounds += 1;
      end = performance.now();
    }
    return ((end - begin) * 1_000) / (rounds * decisionsAtOnce);
  },
  stop: () => kept,
});

import { definePlugin } from '../../src/plugin/define-plugin.js';
import { defineContract } from '../../src/plugin/contract.js';
import { CallDispatcher } from '../../src/plugin/call-dispatcher.js';
import { z } from 'zod';
const c = defineContract({ methods: { echo: {}, aecho: {}, zecho: { params: z.object({ text: z.string() }), result: z.object({ text: z.string() }) } } });
const plugin = definePlugin(c, { echo: (p) => p, aecho: async (p) => p, zecho: async (p) => p });
const d = new CallDispatcher(plugin, { plugin: { id: 'x' }, redactor: { active: false } } as never, 1e9);
let answered = 0;
class Call { answered = false; cancelled = false; expectsItems = false; deadlineAt = Infinity; constructor(readonly method: string, readonly params: unknown) {} respond(_v: unknown) { answered++; } fail(e: unknown) { throw e; } }
for (const m of ['echo', 'aecho', 'zecho', 'none', 'echo', 'aecho', 'zecho', 'none']) {
  const params = { text: 'hello' };
  let best = 1e9;
  for (let r = 0; r < 8; r++) { const t = performance.now();
    for (let b = 0; b < 2000; b++) { for (let i = 0; i < 64; i++) { const call = new Call(m, params); if (m === 'none') call.respond(params); else d.dispatch(call as never, true); } await Promise.resolve(); await null; await null; await null;}
    best = Math.min(best, (performance.now() - t) * 1e6 / 128000); }
  console.log(m, best.toFixed(0), 'ns');
}

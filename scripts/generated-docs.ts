import { errorCodes } from '../src/errors/codes.js';
import { reasonCodes } from '../src/errors/reason.js';
import { pluginTable } from '../src/host/plugin-table.js';
import { workerTable } from '../src/worker/worker-table.js';

/** The parts of the documents that are made from the code: document → name of the part → text. */
export function generatedParts(): Readonly<Record<string, Readonly<Record<string, string>>>> {
  return {
    'docs/errors.md': {
      codes: table(
        ['code', 'retryable', 'meaning'],
        Object.entries(errorCodes).map(([code, { retryable, meaning }]) => [`\`${code}\``, retryable ? 'yes' : 'no', meaning]),
      ),
      reasons: table(
        ['reason', 'what to do'],
        Object.entries(reasonCodes).map(([code, action]) => [`\`${code}\``, action]),
      ),
    },
    'docs/lifecycle.md': {
      worker: `${diagram(workerTable, 'starting', 'exited')}\n\n${transitions(workerTable)}`,
      plugin: `${diagram(pluginTable, 'idle')}\n\n${transitions(pluginTable)}`,
    },
  };
}

/** Puts the generated parts into a document, between `<!-- generated: NAME -->` and `<!-- end -->`. */
export function fillIn(document: string, parts: Readonly<Record<string, string>>): string {
  return Object.entries(parts).reduce((text, [name, part]) => {
    const marked = new RegExp(`(<!-- generated: ${name} -->)[\\s\\S]*?(<!-- end -->)`);
    if (!marked.test(text)) throw new Error(`The document has no part "${name}".`);
    return text.replace(marked, (_all, begin: string, end: string) => `${begin}\n${part}\n${end}`);
  }, document);
}

type Table = Readonly<Record<string, Readonly<Record<string, { readonly to: string; readonly effects: readonly string[] } | undefined>>>>;

function diagram(lifecycle: Table, first: string, last?: string): string {
  const arrows = Object.entries(lifecycle).flatMap(([from, events]) => {
    const byTarget = new Map<string, string[]>();
    for (const [event, to] of Object.entries(events))
      if (to !== undefined && to.to !== from) byTarget.set(to.to, [...(byTarget.get(to.to) ?? []), event]);
    return [...byTarget].map(([to, names]) => `  ${from} --> ${to}: ${names.join(', ')}`);
  });
  return ['```mermaid', 'stateDiagram-v2', `  [*] --> ${first}`, ...arrows, ...(last === undefined ? [] : [`  ${last} --> [*]`]), '```'].join('\n');
}

function transitions(lifecycle: Table): string {
  const rows = Object.entries(lifecycle).flatMap(([from, events]) =>
    Object.entries(events).map(([event, to]) => [from, event, to?.to ?? from, to?.effects.join(', ') ?? '']),
  );
  return table(['state', 'event', 'next state', 'effects'], rows);
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  return [head, head.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n');
}

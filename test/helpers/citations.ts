import ts from 'typescript';

const idInTitle = /\[([a-z][a-z-]*\.[a-z][a-z0-9-]*)\]/g;
const roots = new Set(['test', 'it', 'describe', 'suite']);
const notRun = new Set(['skip', 'todo', 'fails']);

/**
 * The requirement ids in the titles of a test file, `test('[area.name] …')`, also behind `.each`, `.for`, `.concurrent` and in template titles.
 * Titles of tests that do not run (`skip`, `todo`) or must fail (`fails`) do not count; neither does anything inside a skipped `describe`.
 */
export function citationsInTypeScript(source: string): string[] {
  const found = new Set<string>();
  const visit = (node: ts.Node): void => {
    if (ts.isCallExpression(node)) {
      const chain = calleeChain(node.expression);
      if (chain !== undefined) {
        if (chain.some((name) => notRun.has(name))) return;
        const title = node.arguments[0];
        if (title !== undefined) for (const id of idsIn(literalText(title))) found.add(id);
      }
    }
    ts.forEachChild(node, visit);
  };
  visit(ts.createSourceFile('file.test.ts', source, ts.ScriptTarget.Latest));
  return [...found];
}

/** The requirement ids of a Python test file, from `@pytest.mark.requirement("area.name", …)`. */
export function citationsInPython(source: string): string[] {
  const markers = source.matchAll(/^\s*@pytest\.mark\.requirement\(([^)]*)\)/gm);
  return [...new Set([...markers].flatMap((marker) => [...(marker[1] ?? '').matchAll(/["']([^"']+)["']/g)].map((id) => id[1] ?? '')))];
}

/** `['test', 'each']` for `test.each(rows)`; undefined for a call of anything else. */
function calleeChain(callee: ts.Expression): string[] | undefined {
  if (ts.isIdentifier(callee)) return roots.has(callee.text) ? [callee.text] : undefined;
  if (ts.isCallExpression(callee)) return calleeChain(callee.expression);
  if (ts.isTaggedTemplateExpression(callee)) return calleeChain(callee.tag);
  if (!ts.isPropertyAccessExpression(callee)) return undefined;
  const before = calleeChain(callee.expression);
  return before && [...before, callee.name.text];
}

function literalText(title: ts.Expression): string {
  if (ts.isStringLiteralLike(title)) return title.text;
  if (ts.isTemplateExpression(title)) return title.head.text + title.templateSpans.map((span) => span.literal.text).join('');
  return '';
}

function idsIn(title: string): string[] {
  return [...title.matchAll(idInTitle)].map((match) => match[1] ?? '');
}

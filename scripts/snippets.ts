import { readFileSync } from 'node:fs';

/** A code block of a document that is copied from a file. */
export interface Snippet {
  readonly file: string;
  readonly code: string;
}

/** The blocks of a document that follow `<!-- file: PATH -->`. */
export function snippetsOf(document: string): readonly Snippet[] {
  return [...document.matchAll(/<!-- file: (\S+) -->\n```\w+\n([\s\S]*?)```/g)].map(([, file = '', code = '']) => ({ file, code }));
}

/** Blocks of TypeScript, Python or YAML that no file stands behind. */
export function looseBlocks(document: string): readonly string[] {
  const marked = document.replaceAll(/<!-- file: \S+ -->\n```\w+\n[\s\S]*?```/g, '');
  return [...marked.matchAll(/```(?:ts|js|python|yaml)\n([\s\S]*?)```/g)].map(([, code = '']) => code);
}

/** The document with each block as its file has it. */
export function refreshSnippets(document: string): string {
  return document.replaceAll(
    /(<!-- file: (\S+) -->\n```\w+\n)[\s\S]*?```/g,
    (_all, begin: string, file: string) => `${begin}${readFileSync(file, 'utf8')}\`\`\``,
  );
}

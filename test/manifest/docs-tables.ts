import { configProblemCodes, legacyPermissions, problemCodes } from '../../src/manifest/index.js';

/** The tables of docs/manifest.md that stand for tables of the code. */
export const documentedTables: Readonly<Record<string, string>> = {
  'legacy permissions': table(
    ['permission', 'becomes', 'always needs the approval of a person'],
    legacyPermissions.map(({ permission, capability, field, alwaysNeedsApproval, instead }) => [
      `\`${permission}\``,
      capability === undefined
        ? `not available: ${instead}`
        : `\`${capability}\`${field === undefined ? ' for everything' : `, \`${field}: [<…>]\``}`,
      alwaysNeedsApproval ? 'yes' : 'no',
    ]),
  ),
  'problem codes': table(
    ['code', 'severity', 'meaning'],
    Object.entries(problemCodes).map(([code, { severity, meaning }]) => [code, severity, meaning]),
  ),
  'config problem codes': table(['code', 'meaning'], Object.entries(configProblemCodes)),
};

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  return [head, head.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n');
}

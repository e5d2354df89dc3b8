/** How deep maps and lists may be nested, the document's own map counted as 1. */
export const maxDepth = 32;
/** How many anchors, and how many aliases, a YAML document may have. */
export const maxAliases = 16;
/** How many values a document may have, each alias counted with everything that it stands for. */
export const maxValues = 20_000;

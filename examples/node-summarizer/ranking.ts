// Ranks the sentences of a text by the words that they share with the whole. The same rules as ranking.py of the Python summarizer.

const stopWords = new Set(
  `a about after all also an and any are as at be because been but by can could did do does each for from had has have
  he her him his how if in into is it its just may me more most my no not of on one only or other our out over own she so
  some such than that the their them then there these they this those to under up was we were what when which while who
  will with would you your`.split(/\s+/),
);
const word = /\p{L}[\p{L}\p{N}_'-]+/gu;
const maxSentences = 5_000;

/** Takes out what is not prose: code blocks, tables, headings, links and other marks of Markdown. */
function plainText(document: string): string {
  return document
    .replace(/```[\s\S]*?(```|$(?![\s\S]))/g, '\n\n')
    .replace(/^[ \t]*(\|.*|#+ .*|[-=*_]{3,})$/gm, '\n')
    .replace(/!?\[([^\]\n]*)\]\([^)\n]*\)/g, '$1')
    .replace(/^[ \t]*([-*+>]|\d+\.)[ \t]+/gm, '\n')
    .replace(/[`*]|<[^>\n]{1,200}>/g, '');
}

function sentencesOf(document: string): string[] {
  const sentences: string[] = [];
  for (const paragraph of plainText(document).split(/\n\s*\n/)) {
    const oneLine = paragraph.split(/\s+/).join(' ').trim();
    sentences.push(...oneLine.split(/(?<=[.!?]) (?=["'(\p{L}\p{N}])/u).filter((part) => (part.match(word) ?? []).length >= 4));
  }
  return sentences.slice(0, maxSentences);
}

/** The `count` most telling sentences, in the order of the document. */
export function rank(document: string, count: number): string[] {
  const sentences = sentencesOf(document);
  const words = sentences.map((sentence) => (sentence.match(word) ?? []).map((text) => text.toLowerCase()).filter((text) => !stopWords.has(text)));
  const frequency = new Map<string, number>();
  for (const each of words) for (const text of new Set(each)) frequency.set(text, (frequency.get(text) ?? 0) + 1);
  return words
    .map((each, index) => {
      const telling = [...new Set(each)].reduce((sum, text) => sum + (frequency.get(text) ?? 0) - 1, 0);
      // Long sentences do not win by length alone, and what stands first tells a little more.
      return { index, score: telling / (each.length + 4) ** 0.7 + 0.5 / (1 + index) };
    })
    .sort((left, right) => right.score - left.score || left.index - right.index)
    .slice(0, count)
    .sort((left, right) => left.index - right.index)
    .map(({ index }) => sentences[index] as string);
}

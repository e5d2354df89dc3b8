/** Words longer than this are never compared: the distance costs the product of both lengths, and no name is longer. */
const maxWordLength = 64;

/**
 * The candidate that `word` is most probably a misspelling of, for a "did you mean" sentence; `undefined` when none is
 * close enough. Case is ignored. Close enough is at most a third of the longer word, and at least one edit; an edit
 * inserts, deletes or replaces a character or swaps two neighbours. Among equals the first candidate wins.
 *
 * Words and candidates of more than 64 characters are never suggested, so that hostile input stays cheap.
 */
export function nearest(word: string, candidates: Iterable<string>): string | undefined {
  if (word.length === 0 || word.length > maxWordLength) return undefined;
  const wanted = word.toLowerCase();
  let best: string | undefined;
  let bestDistance = Number.POSITIVE_INFINITY;
  for (const candidate of candidates) {
    if (candidate.length === 0 || candidate.length > maxWordLength) continue;
    const limit = Math.min(Math.max(1, Math.floor(Math.max(wanted.length, candidate.length) / 3)), bestDistance - 1);
    if (Math.abs(candidate.length - wanted.length) > limit) continue;
    const distance = editDistance(wanted, candidate.toLowerCase());
    // A "misspelling" that replaces the whole word is none: without this, any one-letter word resembles any other.
    if (distance > limit || distance >= wanted.length) continue;
    best = candidate;
    bestDistance = distance;
    if (distance === 0) break;
  }
  return best;
}

/** The optimal string alignment distance: Levenshtein, with the swap of two neighbours as one edit. */
function editDistance(left: string, right: string): number {
  let beforePrevious: number[] = [];
  let previous = Array.from({ length: right.length + 1 }, (_, column) => column);
  for (let row = 1; row <= left.length; row++) {
    const current = [row];
    for (let column = 1; column <= right.length; column++) {
      const same = left[row - 1] === right[column - 1];
      let cost = Math.min(at(previous, column) + 1, at(current, column - 1) + 1, at(previous, column - 1) + (same ? 0 : 1));
      const swapped = row > 1 && column > 1 && left[row - 1] === right[column - 2] && left[row - 2] === right[column - 1];
      if (swapped) cost = Math.min(cost, at(beforePrevious, column - 2) + 1);
      current.push(cost);
    }
    beforePrevious = previous;
    previous = current;
  }
  return at(previous, right.length);
}

function at(distances: readonly number[], index: number): number {
  return distances[index] ?? Number.POSITIVE_INFINITY;
}

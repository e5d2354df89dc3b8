import type { Clock, Random } from '../../interfaces/platform.js';

/** The most patience with one that keeps others out, milliseconds. */
const maxPatienceMs = 250;
/** The least: 64 places let in several thousand a second then, about as many as a process can accept. */
const minPatienceMs = 1;
/** By how much the patience falls with each newcomer that finds no place, and grows with each that finds one: about one in six finds none. */
const falls = 0.9;
const grows = 1.02;

/** One that waits. */
export interface Guest {
  /** It is being decided about, and keeps its place until that is over. */
  beginDecision(): void;
  /** It was refused, and keeps its place until it is gone, or until it is needed. */
  endDecision(): void;
  leave(): void;
}

/** Why one has lost its place: to a newcomer, or because nobody waits any more. */
export type Eviction = 'needed' | 'closed';

interface Place {
  readonly onEvicted: (why: Eviction) => void;
  /** At least 1: how much more patience it is met with than the least. One in n has n or more. */
  readonly luck: number;
  since: number;
  /** What it sent at once has been read. */
  heard: boolean;
  deciding: boolean;
}

/**
 * So many places for connections that have not been let in. Once all are taken, a newcomer takes the place of the one that has waited longest beyond
 * patience, and if there is none it is turned away: whoever says a hello at once gets in, however many come and say nothing.
 *
 * The more newcomers are turned away, the less patience there is, so that a flood which holds all places for as long as it may passes through them the
 * quicker. A few are lucky and met with more patience than the rest, so that in a flood those far away, whose hello takes its time, have a chance too.
 */
export class WaitingRoom {
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #capacity: number;
  /** In the order of arrival. */
  readonly #places = new Set<Place>();
  #patienceMs = maxPatienceMs;

  constructor(clock: Clock, random: Random, capacity: number) {
    this.#clock = clock;
    this.#random = random;
    this.#capacity = capacity;
  }

  /** How many wait. */
  get size(): number {
    return this.#places.size;
  }

  /** Evicts all. */
  clear(): void {
    for (const place of this.#places) this.#evict(place, 'closed');
  }

  /** @param onEvicted it has lost its place, and is to be closed. @returns undefined if there is no place for it. */
  enter(onEvicted: (why: Eviction) => void): Guest | undefined {
    const evicted = this.#places.size < this.#capacity ? undefined : this.#dispensable();
    if (evicted === undefined && this.#places.size >= this.#capacity) {
      this.#patienceMs = Math.max(minPatienceMs, this.#patienceMs * falls);
      return undefined;
    }
    this.#patienceMs = Math.min(maxPatienceMs, this.#patienceMs * grows);
    if (evicted !== undefined) this.#evict(evicted, 'needed');
    const place: Place = { onEvicted, luck: 1 / (1 - this.#random.fraction()), since: 0, heard: false, deciding: false };
    this.#places.add(place);
    this.#beginWait(place);
    return {
      beginDecision() {
        place.deciding = true;
      },
      endDecision: () => {
        place.deciding = false;
        this.#beginWait(place);
      },
      leave: () => void this.#places.delete(place),
    };
  }

  /**
   * One turn may accept hundreds before it reads what the first of them sent, and take longer than all patience: nobody is evicted before a whole turn has
   * passed, which also bounds how many there are between accept and close.
   */
  #beginWait(place: Place): void {
    place.since = this.#clock.now();
    place.heard = false;
    this.#clock.endOfTurn(() =>
      this.#clock.endOfTurn(() => {
        place.heard = true;
      }),
    );
  }

  #evict(place: Place, why: Eviction): void {
    this.#places.delete(place);
    place.onEvicted(why);
  }

  #dispensable(): Place | undefined {
    const now = this.#clock.now();
    for (const place of this.#places)
      if (!place.deciding && place.heard && now - place.since >= Math.min(maxPatienceMs, this.#patienceMs * place.luck)) return place;
    return undefined;
  }
}

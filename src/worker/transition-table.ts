/** What an event does in a state. */
export interface Transition<State extends string, Effect extends string> {
  readonly to: State;
  readonly effects: readonly Effect[];
}

/** A lifecycle as data: what is not listed changes nothing. Documents and diagrams are generated from it. */
export type TransitionTable<State extends string, Event extends string, Effect extends string> = Readonly<
  Record<State, Readonly<Partial<Record<Event, Transition<State, Effect>>>>>
>;

/** Applies an event. Pure: the same state and event always give the same answer. */
export function transition<State extends string, Event extends string, Effect extends string>(
  table: TransitionTable<State, Event, Effect>,
  state: State,
  event: Event,
): Transition<State, Effect> {
  return table[state][event] ?? { to: state, effects: [] };
}

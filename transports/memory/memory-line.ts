import type { Clock, Timer } from '../../src/interfaces/platform.js';
import type { Delay } from './fault-control.js';

/** How a direction ends: in order, or by the loss of the connection. */
export type LineEnd = 'ended' | 'lost';

/** Who is at the two ends of a line. Always called from a callback of the clock, never from within a method of the line. */
export interface LineUsers {
  /** Bytes have arrived at the reader. */
  onBytes(chunk: Uint8Array): void;
  /** Fewer bytes are in flight than before; for the writer. */
  onDelivered(): void;
  /** The end has arrived at the reader; nothing follows. */
  onEnd(end: LineEnd): void;
  /** The reader went away before the end had arrived; for the writer. Nothing follows. */
  onReaderGone(): void;
}

interface Batch {
  readonly bytes: Uint8Array;
  readonly dueAt: number;
}

/** One direction of a memory pair: an ordered queue of bytes that the clock delivers, and the faults that apply to it. */
export class MemoryLine {
  readonly #clock: Clock;
  readonly #fraction: () => number;
  #users: LineUsers | undefined;
  #flowing = false;
  #batches: Batch[] = [];
  #bufferedBytes = 0;
  #lostBytes = 0;
  #end: LineEnd | undefined;
  #done = false;
  #pumpIsDue = false;
  #timer: Timer | undefined;
  #lastDueAt = Number.NEGATIVE_INFINITY;

  #delay: Delay = 0;
  #maxPieceBytes = Number.POSITIVE_INFINITY;
  #merge = false;
  #allowance = Number.POSITIVE_INFINITY;
  #corruptNext = false;
  #dropNext = false;
  #fenced = false;

  constructor(clock: Clock, fraction: () => number) {
    this.#clock = clock;
    this.#fraction = fraction;
  }

  get bufferedBytes(): number {
    return this.#bufferedBytes;
  }

  /** Accepted bytes that did not arrive and never will. */
  get lostBytes(): number {
    return this.#lostBytes;
  }

  connect(users: LineUsers): void {
    this.#users = users;
  }

  /** The reader is ready; until now everything was kept. */
  flow(): void {
    this.#flowing = true;
    this.#schedule();
  }

  /** Copies `chunks` into the line as one batch. */
  write(chunks: readonly Uint8Array[]): void {
    if (this.#end !== undefined) return;
    const bytes = concat(chunks);
    if (bytes.length === 0) return;
    if (this.#fenced) {
      this.#lostBytes += bytes.length;
      return;
    }
    this.#batches.push({ bytes, dueAt: this.#dueTime() });
    this.#bufferedBytes += bytes.length;
    this.#schedule();
  }

  /** Ends the line behind the bytes in flight, of which only the first `deliverBytes` still arrive. */
  end(end: LineEnd, deliverBytes = Number.POSITIVE_INFINITY): void {
    if (this.#done || this.#end === 'lost') return;
    this.#end = end;
    if (end === 'lost') {
      this.#keepFirst(deliverBytes);
      this.#allowance = Number.POSITIVE_INFINITY;
    }
    this.#schedule();
  }

  /** From now on everything is swallowed, the end included, and nobody is told: a network that lets nothing through any more. */
  fence(): void {
    if (this.#done) return;
    this.#fenced = true;
    this.#keepFirst(0);
  }

  /** The end of everything, which a fence does not hide. */
  lose(deliverBytes?: number): void {
    this.#fenced = false;
    this.end('lost', deliverBytes);
    // The line may have been lost already, unseen behind its fence.
    this.#schedule();
  }

  /** Nobody reads any more: drops everything, tells the writer if the end had not arrived, and calls nobody again. */
  dispose(): void {
    if (!this.#done && !this.#fenced) this.#clock.endOfTurn(() => this.#users?.onReaderGone());
    this.#done = true;
    this.#end ??= 'lost';
    this.#keepFirst(0);
    this.#timer?.cancel();
    this.#timer = undefined;
  }

  setDelay(delay: Delay): void {
    this.#delay = delay;
  }

  setSplit(maxPieceBytes: number): void {
    this.#maxPieceBytes = Math.max(1, Math.floor(maxPieceBytes));
  }

  setMerge(on: boolean): void {
    this.#merge = on;
  }

  /** How many more bytes may be delivered. */
  setAllowance(bytes: number): void {
    this.#allowance = Math.max(0, bytes);
    this.#schedule();
  }

  setCorruptNext(): void {
    this.#corruptNext = true;
  }

  setDropNext(): void {
    this.#dropNext = true;
  }

  #dueTime(): number {
    const delay = this.#delay;
    const delayMs = typeof delay === 'number' ? delay : delay.minMs + this.#fraction() * (delay.maxMs - delay.minMs);
    // A later batch never overtakes an earlier one, however short its own delay.
    this.#lastDueAt = Math.max(this.#lastDueAt, this.#clock.now() + Math.max(0, delayMs));
    return this.#lastDueAt;
  }

  #keepFirst(limit: number): void {
    let left = limit;
    this.#batches = this.#batches.flatMap((batch) => {
      const bytes = batch.bytes.subarray(0, Math.min(batch.bytes.length, left));
      left -= bytes.length;
      return bytes.length === 0 ? [] : [{ bytes, dueAt: batch.dueAt }];
    });
    const keptBytes = this.#batches.reduce((sum, batch) => sum + batch.bytes.length, 0);
    this.#lostBytes += this.#bufferedBytes - keptBytes;
    this.#bufferedBytes = keptBytes;
  }

  #schedule(): void {
    if (this.#pumpIsDue || this.#done || this.#fenced || !this.#flowing) return;
    const head = this.#batches[0];
    if (this.#allowance === 0 || (head === undefined && this.#end === undefined)) return;
    this.#timer?.cancel();
    this.#timer = undefined;
    const waitMs = head === undefined ? 0 : head.dueAt - this.#clock.now();
    if (waitMs > 0) {
      this.#timer = this.#clock.setTimer(waitMs, () => this.#pump());
    } else {
      this.#pumpIsDue = true;
      this.#clock.endOfTurn(() => {
        this.#pumpIsDue = false;
        this.#pump();
      });
    }
  }

  #pump(): void {
    this.#timer = undefined;
    // What a handler sends while it is called arrives in a later turn: two peers that answer each other cannot starve the rest.
    let due = this.#dueBytes();
    while (due > 0 && this.#allowance > 0 && !this.#done && !this.#fenced) {
      const piece = this.#takePiece(due);
      if (piece === undefined) break;
      due -= piece.length;
      // Neither side is told, so that it does not count as lost.
      if (this.#dropNext) this.#dropNext = false;
      else this.#users?.onBytes(piece);
      if (!this.#done) this.#users?.onDelivered();
    }
    if (!this.#done && !this.#fenced && this.#end !== undefined && this.#batches.length === 0 && this.#allowance > 0) {
      this.#done = true;
      this.#users?.onEnd(this.#end);
    }
    this.#schedule();
  }

  #dueBytes(): number {
    const now = this.#clock.now();
    const due = this.#batches.filter((batch) => batch.dueAt <= now);
    if (this.#merge && due.length > 1) {
      this.#batches.splice(0, due.length, { bytes: concat(due.map((batch) => batch.bytes)), dueAt: now });
    }
    return due.reduce((sum, batch) => sum + batch.bytes.length, 0);
  }

  #takePiece(due: number): Uint8Array | undefined {
    const head = this.#batches[0];
    if (head === undefined) return undefined;
    const pieceLimit = Number.isFinite(this.#maxPieceBytes) ? 1 + Math.floor(this.#fraction() * this.#maxPieceBytes) : head.bytes.length;
    const size = Math.min(head.bytes.length, pieceLimit, this.#allowance, due);
    const piece = head.bytes.subarray(0, size);
    if (size === head.bytes.length) this.#batches.shift();
    else this.#batches[0] = { bytes: head.bytes.subarray(size), dueAt: head.dueAt };
    this.#bufferedBytes -= size;
    this.#allowance -= size;
    if (this.#corruptNext) {
      this.#corruptNext = false;
      const at = Math.floor(this.#fraction() * size);
      piece[at] = piece[at]! ^ (1 << Math.floor(this.#fraction() * 8));
    }
    return piece;
  }
}

/** Always a copy: what the reader keeps is never the memory of the writer. */
function concat(chunks: readonly Uint8Array[]): Uint8Array {
  const bytes = new Uint8Array(chunks.reduce((sum, chunk) => sum + chunk.length, 0));
  let offset = 0;
  for (const chunk of chunks) {
    bytes.set(chunk, offset);
    offset += chunk.length;
  }
  return bytes;
}

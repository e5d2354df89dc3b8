import { closeSync, openSync, readdirSync, readFileSync } from 'node:fs';

/** The flag as the kernel prints it in fdinfo. Node exports no constant for it. */
const closeOnExec = 0o2000000;

/** Descriptors that the launcher itself gives to a worker. */
const declared = 3;

/**
 * The descriptors above 3 that a child process would inherit: those that this process was itself started with and that lack close-on-exec. Node
 * sets the flag on all that it opens, and at its start on those below 16 only. Empty where there is no /proc.
 */
export function inheritedDescriptors(): number[] {
  let names: string[];
  try {
    names = readdirSync('/proc/self/fd');
  } catch {
    return [];
  }
  return names
    .map(Number)
    .filter((descriptor) => descriptor > declared && isInherited(descriptor))
    .sort((left, right) => left - right);
}

function isInherited(descriptor: number): boolean {
  try {
    const flags = /^flags:\s*([0-7]+)/m.exec(readFileSync(`/proc/self/fdinfo/${descriptor}`, 'latin1'))?.[1];
    return flags !== undefined && (Number.parseInt(flags, 8) & closeOnExec) === 0;
  } catch {
    // The descriptor by which the folder was read is gone by now.
    return false;
  }
}

/**
 * Calls `spawn` with the entries of `stdio` from index 4 on that cover `descriptors` in the child: each is replaced by /dev/null. That needs no
 * wrapper program and costs nothing where nothing was inherited.
 */
export function coveringDescriptors<T>(descriptors: readonly number[], spawn: (stdio: ('ignore' | number)[]) => T): T {
  const highest = descriptors.at(-1);
  if (highest === undefined) return spawn([]);
  const nothing = openSync('/dev/null', 'r');
  try {
    const stdio = new Array<'ignore' | number>(highest - declared).fill('ignore');
    for (const descriptor of descriptors) stdio[descriptor - declared - 1] = nothing;
    return spawn(stdio);
  } finally {
    closeSync(nothing);
  }
}

/**
 * Sends what is written to `process.stdout`, `console.log` included, to standard error, where it becomes log lines. Node cannot exchange descriptor 1
 * itself: native code and child processes with an inherited stdout still write to it. That harms nothing on descriptor 3; the host reads standard
 * output as log lines too.
 */
export function moveStdoutAside(): void {
  process.stdout.write = process.stderr.write.bind(process.stderr);
}
